"""Writes a comparison of runs: one table, one figure, and where each number comes from."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
from matplotlib import style as matplotlib_style

from cactus.config.printed.titles import Titles
from cactus.files import atomic_path, write_json, write_text
from cactus.paper import style
from cactus.paper.vocabulary import SPLIT_NOTE, SYNTHETIC_NOTE
from cactus.provenance.compare.figure import draw
from cactus.provenance.compare.rows import Row, Test, comparison_rows, comparison_tests
from cactus.provenance.compare.runs import FinishedRun, finished_runs, shared_datasets
from cactus.provenance.compare.table import Section, as_latex, number_entries, sections
from cactus.provenance.output_folder import atomic_folder, check_output
from cactus.provenance.staleness.planner import Planner

_STEM: Final = "comparison"
NUMBERS: Final = "numbers.json"
TESTS: Final = "paired_tests.csv"
_FILES: Final = {NUMBERS, TESTS, *(f"{_STEM}.{kind}" for kind in ("tex", "csv", "pdf", "png"))}


def write_comparison(planners: Sequence[Planner], output: Path) -> tuple[list[Section], list[str]]:
    """Write a comparison of finished runs, which replaces an earlier one; return table and notes.

    Decimals, font and resolution are those of the first run's `outputs`. Everything is written
    from the episodes' accuracies that the runs' records list.

    Parameters
    ----------
    planners
        The planners of the runs, with empty caches of hashes.
    output
        The comparison's folder.

    Raises
    ------
    RecordError
        A run does not pass its audit, two runs cannot be compared, or the output holds something
        else than a comparison.
    """
    check_output(_STEM, output, replaced=_is_comparison(output))
    runs = finished_runs(planners)
    datasets = shared_datasets(runs)
    rows = comparison_rows(runs, datasets)
    tests = comparison_tests(rows, [run.name for run in runs])
    notes = list(comparison_notes(runs, datasets))
    settings = runs[0].planner.config.outputs
    titles = titles_of(runs)
    table = sections(rows, tests, settings.decimals, titles)
    with atomic_folder(output) as folder:
        synthetic = any(run.planner.config.synthetic_data for run in runs)
        caveat = SYNTHETIC_NOTE if synthetic else ""
        text = as_latex(table, [run.name for run in runs], notes, caveat)
        write_text(folder / f"{_STEM}.tex", text)
        _write(pd.DataFrame(map(_row, rows)), folder / f"{_STEM}.csv")
        _write(pd.DataFrame(map(_test, tests), columns=_TEST_COLUMNS), folder / TESTS)
        write_json(folder / NUMBERS, _numbers(runs, rows, tests, settings.decimals, titles))
        banner = datasets if synthetic else []
        with matplotlib_style.context(style.rc_parameters(settings), after_reset=True):
            style.save(draw(rows, banner, titles), folder / _STEM, settings.dpi)
    return table, notes


def _is_comparison(folder: Path) -> bool:
    """Return whether a folder holds an earlier comparison and nothing else."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return NUMBERS in names and names <= _FILES


def _numbers(
    runs: Sequence[FinishedRun],
    rows: Sequence[Row],
    tests: Sequence[Test],
    decimals: int,
    titles: Titles,
) -> dict[str, Any]:
    audits = {run.name: {"folder": str(run.planner.run_folder), "notes": run.notes} for run in runs}
    return {"runs": audits, "numbers": list(number_entries(rows, tests, decimals, titles))}


def titles_of(runs: Sequence[FinishedRun]) -> Titles:
    """Return the titles of what the runs add; of two for one name, that of the first run."""
    return Titles.first_of(run.planner.config.titles() for run in runs)


def comparison_notes(runs: Sequence[FinishedRun], datasets: Sequence[str]) -> Iterator[str]:
    """Yield what a reader of the table should know of the runs."""
    titles = titles_of(runs)
    if any(run.planner.config.synthetic_data for run in runs):
        yield f"{SYNTHETIC_NOTE[0].upper()}{SYNTHETIC_NOTE[1:]}."
    seeds = {run.name: ", ".join(sorted({one.seed for one, _ in run.scores})) for run in runs}
    for run in runs:
        config = run.planner.config
        if len({*seeds.values()}) > 1:
            yield f"The run {run.name} has the training seeds {seeds[run.name]}."
        if run.planner.waivers:
            yield f"The run {run.name} has accepted changes, which its audit names."
        for name in config.expanded_grid.datasets:
            title = titles.dataset(name)
            if name not in datasets:
                yield f"{title} is in the run {run.name} alone, so it is left out."
            elif config.evaluation.resolve(name).split != "test":
                yield f"{title}, run {run.name}: {SPLIT_NOTE}."


def _write(frame: pd.DataFrame, path: Path) -> None:
    with atomic_path(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")


def _row(row: Row) -> dict[str, Any]:
    """Return a row of the CSV file; accuracies are fractions, written without loss."""
    return {
        "runs": " ".join(row.runs),
        **row.key._asdict(),
        "seeds": " ".join(row.by_seed),
        **vars(row.summary),
        "seed_std": row.seed_std,
        "episodes_sha256": row.episodes_sha256,
    }


_TEST_COLUMNS: Final = [
    "dataset", "way", "shot", "method", "source", "runs", "other_source", "other_runs",
    "tasks", "difference", "ci95", "p_value", "p_holm",
]  # fmt: skip


def _test(test: Test) -> dict[str, Any]:
    result, key = test.result, test.first.key
    return {
        "dataset": key.dataset,
        "way": key.way,
        "shot": key.shot,
        "method": key.method,
        "source": key.source,
        "runs": " ".join(test.first.runs),
        "other_source": test.other.key.source,
        "other_runs": " ".join(test.other.runs),
        "tasks": result.tasks,
        "difference": result.difference,
        "ci95": (result.high - result.low) / 2,
        "p_value": result.p_value,
        "p_holm": test.p_holm,
    }
