"""One tidy table of all numbers of a run, next to the paper's."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cactus.config.sections.source import Source
from cactus.data.arrays import load_manifest
from cactus.errors import DataError
from cactus.evaluate.statistics import AccuracySummary, summarize, summarize_seeds
from cactus.files import atomic_path
from cactus.paper.paired import PAIRED_FILE
from cactus.paper.paired_tests import paired_tests
from cactus.paper.partition_quality import QUALITY_TABLE, aggregate_quality
from cactus.paper.published import CELL_KEYS, read_published
from cactus.paper.results import ALL_SEEDS, COLUMNS, sorted_results
from cactus.paper.schema.package import write_package
from cactus.paper.scores import Score, read_cell
from cactus.paper.verdicts import with_verdicts
from cactus.paper.vocabulary import published_source, setting_title
from cactus.stages.aggregate_results import AggregateResultsSpec


def write_all_results(
    spec: AggregateResultsSpec, run_folder: Path, published: Path, output: Path
) -> None:
    """Write all files of numbers of a run.

    Parameters
    ----------
    spec
        What the job that does it reads of the configuration.
    published
        The paper's numbers.
    output
        The table of results; the other files lie beside it.

    Raises
    ------
    DataError
        A cell is missing or damaged, see `aggregate`.
    """
    aggregate(run_folder, spec.run, spec.cells, spec.splits, published, output)
    quality = output.with_name(QUALITY_TABLE)
    aggregate_quality(run_folder, spec.run, spec.qualities, quality)
    write_package(output.parent)


def aggregate(
    run_folder: Path,
    run: str,
    cells: Sequence[str],
    splits: Mapping[str, str],
    published_file: Path,
    output: Path,
) -> None:
    """Write one row per cell, setting and seed, and one with seed ``all`` for all its seeds.

    The row of a seed has the mean over tasks, their population standard deviation, and
    ``ci95 = 1.96 std / sqrt(tasks)``. The row of all seeds has the same statistics of the
    accuracies averaged over seeds, task by task; its ``seed_std`` is the sample standard deviation
    of the seeds' means (empty for one seed). Every row has its verdict, see
    `cactus.paper.verdicts.with_verdicts`. What a baseline selected is in ``selected``, for all
    seeds each value once, and the number of validation episodes in ``validation_tasks``. Accuracies
    are fractions, written without loss. The paired tests, see
    `cactus.paper.paired_tests.paired_tests`, go to a file beside it.

    Parameters
    ----------
    run_folder
        Folder of the run.
    run
        Name of the run, for the column ``run``.
    cells
        Folders in it, ``evaluations/<dataset>/<source>/<learner>/s<seed>`` and
        ``baselines/<dataset>/<embedding>/s<seed>``. Other folders are ignored.
    splits
        The split that each data set's episodes are drawn from, for the column ``split``.
    published_file
        The paper's numbers, see `cactus.paper.published.read_published`.
    output
        The CSV file to write, with the columns `cactus.paper.results.COLUMNS`.

    Raises
    ------
    DataError
        A cell is missing or damaged, lacks a setting, or was evaluated on different episodes
        from the rest of its data set.
    """
    scores = _read(run_folder, cells)
    rows = pd.DataFrame(_rows(scores))
    rows["run"] = run
    data = {name: load_manifest(run_folder / "data" / name) for name in set(rows["dataset"])}
    rows["synthetic"] = [data[name].synthetic for name in rows["dataset"]]
    rows["split"] = [splits[name] for name in rows["dataset"]]
    rows = _beside_the_papers(rows, read_published(published_file))
    rows["in_paper"] = rows["paper_status"].notna()
    _write(paired_tests(scores, run), output.with_name(PAIRED_FILE))
    _write(sorted_results(with_verdicts(rows))[COLUMNS], output)


def _beside_the_papers(rows: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the paper's number of each, if it has one."""
    cells = zip(rows["dataset"], rows["source"], strict=True)
    keys = rows[CELL_KEYS].assign(source=[published_source(*cell) for cell in cells])
    found = keys.merge(published, on=CELL_KEYS, how="left").drop(columns=CELL_KEYS)
    return pd.concat([rows, found], axis=1)


def _write(frame: pd.DataFrame, output: Path) -> None:
    with atomic_path(output) as path:
        frame.to_csv(path, index=False, lineterminator="\n")


def _read(run_folder: Path, cells: Sequence[str]) -> list[Score]:
    """Read all cells, and check that they are consistent."""
    scores = [score for cell in cells for score in read_cell(run_folder, cell)]
    if not scores:
        raise DataError(
            "There is nothing to aggregate.",
            where=str(run_folder),
            got="no cells",
            fix="keep at least one cell in the grid of the config",
        )
    _check_episodes(scores)
    _check_settings(scores)
    return scores


def _rows(scores: Sequence[Score]) -> Iterator[dict[str, Any]]:
    """Yield a row for each score, and one for all seeds of each cell and setting."""
    groups = defaultdict(list)
    for score in sorted(scores, key=lambda score: int(score.seed)):
        groups[score.key].append(score)
        yield _row([score], score.seed, summarize(score.accuracies), None)
    for group in groups.values():
        over_tasks, seed_std = summarize_seeds(np.stack([score.accuracies for score in group]))
        yield _row(group, ALL_SEEDS, over_tasks, seed_std)


def _row(
    scores: Sequence[Score], seed: str, summary: AccuracySummary, seed_std: float | None
) -> dict[str, Any]:
    score = scores[0]
    return {
        **score.key._asdict(),
        "seed": seed,
        **vars(summary),
        "seed_std": seed_std,
        "selected": " or ".join(dict.fromkeys(score.selected for score in scores)),
        "validation_tasks": score.validation_tasks,
        "episodes_sha256": score.episodes_sha256,
    }


def _check_episodes(scores: Sequence[Score]) -> None:
    """Check that all methods and seeds of a setting have the same episodes."""
    first: dict[tuple[str, int, int], Score] = {}
    for score in scores:
        other = first.setdefault((score.key.dataset, score.key.way, score.key.shot), score)
        if _episodes(score) != _episodes(other):
            raise DataError(
                "Two cells were not evaluated on the same episodes.",
                where=f"{score.cell} and {other.cell}, "
                f"{setting_title(score.key.way, score.key.shot)}",
                got=" and ".join(
                    "{} tasks, sha256 {:.12}".format(*_episodes(s)) for s in (score, other)
                ),
                fix="delete both evaluations and run the same command again",
            )


def _episodes(score: Score) -> tuple[int, str]:
    return len(score.accuracies), score.episodes_sha256


def _check_settings(scores: Sequence[Score]) -> None:
    """Check that every method of a cell has all settings of its data set."""
    expected = defaultdict(set)
    found = defaultdict(set)
    for score in scores:
        expected[score.key.dataset].add((score.key.way, score.key.shot))
        found[score.cell, score.key.dataset, score.key.method].add((score.key.way, score.key.shot))
    ways = {score.cell: Source.parse(score.key.source).way for score in scores}
    for (cell, dataset, method), settings in found.items():
        way = ways[cell]
        wanted = {one for one in expected[dataset] if way in (None, one[0])}
        missing = sorted(wanted - settings)
        if missing:
            raise DataError(
                "An evaluation lacks settings that others of its data set have.",
                where=f"{cell}, {method}",
                got="no " + ", ".join(setting_title(*setting) for setting in missing),
                fix="delete this evaluation and run the same command again",
            )
