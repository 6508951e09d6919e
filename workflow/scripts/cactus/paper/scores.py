"""The per-episode accuracies of one evaluated cell or one set of baselines."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cactus.errors import DataError
from cactus.evaluate.statistics import (
    ACCURACIES_FILE,
    SUMMARY_FILE,
    TaskAccuracies,
    read_accuracies,
)
from cactus.files import read_json
from cactus.paper.vocabulary import method_name, parse_cell


class ScoreKey(NamedTuple):
    """What an accuracy belongs to, except for its seed."""

    dataset: str
    source: str
    method: str
    learner: str
    way: int
    shot: int


class Score(NamedTuple):
    """Accuracies of one method and seed in one setting.

    Attributes
    ----------
    cell
        Folder in the run folder from which they were read.
    accuracies
        (T,) fractions, in the order of the episodes.
    episodes_sha256
        Hash of the episodes.
    selected
        The values that a baseline selected on validation episodes, e.g. ``neighbors=3``; empty if
        it had no choice.
    validation_tasks
        The number of these episodes.
    """

    key: ScoreKey
    seed: str
    cell: str
    accuracies: npt.NDArray[np.float64]
    episodes_sha256: str
    selected: str = ""
    validation_tasks: int = 0


def read_cell(run_folder: Path, cell: str) -> list[Score]:
    """Read all settings (and, for baselines, methods) of a cell.

    Parameters
    ----------
    cell
        Folder in the run folder, see `cactus.paper.vocabulary.parse_cell`.

    Raises
    ------
    DataError
        The cell is missing or damaged, or its accuracies and its summary disagree.
    """
    parts = parse_cell(cell)
    folder = run_folder / cell
    if not (folder / SUMMARY_FILE).is_file():
        raise DataError(
            "A cell has not been evaluated.",
            where=cell,
            got=f"no {folder / SUMMARY_FILE}",
            fix="run the workflow again; it evaluates what is missing",
        )
    results = read_accuracies(folder / ACCURACIES_FILE)
    facts = _checked_facts(folder / SUMMARY_FILE, results)
    return [
        Score(_key(parts, result), parts["seed"], cell, result.accuracies, *facts[_setting(result)])
        for result in results
    ]


def _key(parts: dict[str, str], result: TaskAccuracies) -> ScoreKey:
    method = result.method or method_name(parts["source"], parts["learner"])
    return ScoreKey(
        parts["dataset"], parts["source"], method, parts["learner"], result.way, result.shot
    )


def _setting(result: TaskAccuracies) -> tuple[str, int, int]:
    return result.method, result.way, result.shot


def _checked_facts(
    path: Path, results: list[TaskAccuracies]
) -> dict[tuple[str, int, int], tuple[str, str, int]]:
    """Return what the summary says about each setting; check that it fits the accuracies."""
    entries: dict[tuple[str, int, int], dict[str, Any]] = {}
    try:
        for entry in read_json(path)["settings"]:
            entries[entry.get("method", ""), entry["way"], entry["shot"]] = entry
        found = {
            setting: (int(item["tasks"]), float(item["mean"])) for setting, item in entries.items()
        }
        facts = {setting: _facts(item) for setting, item in entries.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _disagreement(path, f"no entry {error}") from error
    expected = {
        _setting(result): (len(result.accuracies), float(np.mean(result.accuracies)))
        for result in results
    }
    if found != expected:
        setting, value = next(iter(set(found.items()) ^ set(expected.items())))
        raise _disagreement(path, f"{setting}: (tasks, mean) {value} in only one of the two")
    return facts


def _facts(entry: dict[str, Any]) -> tuple[str, str, int]:
    """Return the hash of the episodes, what was selected, and on how many validation episodes."""
    selected = " ".join(f"{key}={value}" for key, value in entry.get("selected", {}).items())
    return str(entry["episodes_sha256"]), selected, int(entry.get("validation_tasks", 0))


def _disagreement(path: Path, got: str) -> DataError:
    return DataError(
        "The summary of a cell does not match its accuracies.",
        where=str(path),
        got=got,
        fix="delete the folder and run the same command again to recreate it",
    )
