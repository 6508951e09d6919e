"""The numbers of the table of results, in the form of the maps of printed numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cactus.provenance.audit.reading.rows_of_csv import damaged, read_rows
from cactus.stages.aggregate_results import RESULTS

RESULTS_CSV: Final = RESULTS.files[0]
_NAMES: Final = ("run", "dataset", "source", "method", "learner", "way", "shot", "seed")
# A word for what a number is, the column that has it, and that of half its interval.
_NUMBERS: Final = (
    ("ours", "mean", "ci95"),
    ("paper", "paper_mean", "paper_ci95"),
    ("difference", "difference", "difference_ci95"),
)


def results_entries(path: Path) -> list[dict[str, Any]]:
    """Return an entry per number of `results.csv`, as `map_entries` does for a table.

    Raises
    ------
    RecordError
        The file cannot be read or is damaged.
    """
    wanted = [*_NAMES, *(name for _, *both in _NUMBERS for name in both)]
    rows = read_rows(path, wanted)
    try:
        return [entry for row in rows for entry in _entries(row)]
    except ValueError as error:
        raise damaged(path, str(error)) from error


def _entries(row: dict[str, str]) -> Iterator[dict[str, Any]]:
    key = {name: row[name] for name in _NAMES}
    way, shot = int(key["way"]), int(key["shot"])
    words = [key[name] for name in ("dataset", "source", "method", "learner") if key[name]]
    for what, *names in _NUMBERS:
        if numbers := [row[name] for name in names if row[name]]:
            yield {
                "row": f"{' '.join(dict.fromkeys(words))} seed {key['seed']}",
                "column": f"{way}-way {shot}-shot, {what}",
                "printed": " ± ".join(numbers),
                "columns": names[: len(numbers)],
                "scale": 1,
                "results_row": {**key, "way": way, "shot": shot},
            }
