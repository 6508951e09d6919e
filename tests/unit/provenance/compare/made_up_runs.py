"""Made-up runs to compare, and what the tests ask of their comparison."""

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.config.load import parse_config
from cactus.config.printed.titles import UNTITLED
from cactus.paper.scores import Score, ScoreKey
from cactus.provenance.compare.rows import Row, comparison_rows, comparison_tests
from cactus.provenance.compare.runs import FinishedRun
from cactus.provenance.records.record import Record
from tests.unit.provenance.samples import RECORD, SHA

TASKS = 25


def record(cell: str, keys: dict[str, Any]) -> Record:
    """Return the record of an evaluation whose plan has these keys."""
    content: dict[str, Any] = copy.deepcopy({**RECORD})
    del content["checksum"]
    plan = {"stage": "evaluate_model", "cell": cell, "spec": keys, "inputs": {}}
    content["activity"]["plan"] |= plan
    file = f"evaluations/{cell}/accuracies.csv"
    content["entities"] = {file: {"sha256": SHA, "bytes": 1}}
    return Record.model_validate(content)


def run(
    name: str,
    cells: dict[str, int],
    *,
    keys: dict[str, Any] | None = None,
    arrays: str = SHA,
    episodes: str = SHA,
    tasks: int = TASKS,
    seeds: int = 2,
) -> FinishedRun:
    """Return a run with some embeddings of Omniglot; the number decides an embedding's results."""
    found = []
    for source, number in cells.items():
        for seed in range(seeds):
            cell = f"omniglot/{source}/maml/s{seed}"
            for shot in (1, 5):
                key = ScoreKey("omniglot", source, "cactus-maml", "maml", 5, shot)
                drawn = np.random.default_rng([number, seed, shot]).integers(0, 26, tasks) / 25
                score = Score(key, str(seed), f"evaluations/{cell}", drawn, episodes)
                found.append((score, record(cell, {"number": number, "seed": seed})))
    prepared = record("omniglot", {}).model_copy(
        update={"entities": {"data/omniglot/test_labels.npy": SimpleNamespace(sha256=arrays)}}
    )
    config = parse_config({"run": name, "grid": {"datasets": ["omniglot"]}, **(keys or {})})
    planner: Any = SimpleNamespace(config=config, record=lambda _: prepared, waivers=[])
    made = FinishedRun(name, planner, ())
    made.__dict__["scores"] = found
    return made


def rows_of(*runs: FinishedRun) -> list[Row]:
    return comparison_rows(runs, ["omniglot"])


def mean_of(row: Row) -> npt.NDArray[np.float64]:
    mean: npt.NDArray[np.float64] = np.mean([*row.by_seed.values()], axis=0)
    return mean


def pairs_of(*runs: FinishedRun) -> set[tuple[str, str]]:
    tests = comparison_tests(rows_of(*runs), [one.name for one in runs])
    return {(test.first.title(UNTITLED), test.other.title(UNTITLED)) for test in tests}


def named(*pairs: tuple[str, str]) -> set[tuple[str, str]]:
    titles = {"acai": "ACAI", "bigan": "BiGAN", "mine": "mine"}

    def title(text: str) -> str:
        source, runs = text.split(" ", 1)
        return f"{titles[source]}, CACTUs-MAML ({runs})"

    return {(title(first), title(other)) for first, other in pairs}
