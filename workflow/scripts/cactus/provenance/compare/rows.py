"""The rows of a comparison, and the paired tests between them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from cactus.config.printed.titles import Titles
from cactus.evaluate.comparison import (
    PairedComparison,
    compare_paired,
    holm,
    over_shared_seeds,
    shared_seeds,
)
from cactus.evaluate.statistics import ACCURACIES_FILE, Accuracies, AccuracySummary, summarize_seeds
from cactus.paper.scores import Score, ScoreKey
from cactus.paper.vocabulary import dataset_rank, method_rank, source_rank
from cactus.provenance.compare.runs import FinishedRun
from cactus.provenance.records.record import Record

Cell = tuple[str, str, str]  # source, method, learner


class Origin(NamedTuple):
    """A file with accuracies of episodes: its run, its cell, its name in the run, its sha256."""

    run: str
    cell: str
    seed: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Row:
    """One cell in one setting, of one run or of several that took it over from each other.

    Attributes
    ----------
    runs
        Names of the runs, in the order in which they were named.
    by_seed
        Accuracies (T,) of each seed.
    summary, seed_std
        See `cactus.evaluate.statistics.summarize_seeds`.
    episodes_sha256
        Hash of the episodes.
    origins
        The files of all its runs and seeds.
    """

    key: ScoreKey
    runs: tuple[str, ...]
    by_seed: Mapping[str, Accuracies]
    summary: AccuracySummary
    seed_std: float | None
    episodes_sha256: str
    origins: tuple[Origin, ...]

    @property
    def setting(self) -> tuple[str, int, int]:
        """Data set, way and shot."""
        return self.key.dataset, self.key.way, self.key.shot

    @property
    def cell(self) -> Cell:
        """Source, method and learner."""
        return self.key.source, self.key.method, self.key.learner

    def title(self, titles: Titles) -> str:
        """Return its cell and its runs, as tables print them."""
        return f"{titles.pair(self.key.source, self.key.method)} ({self.run})"

    @property
    def run(self) -> str:
        """Its runs, as tables print them."""
        return " = ".join(self.runs)


class Test(NamedTuple):
    """The first row minus the other on the same episodes, and its p-value by Holm's method.

    Of rows with different training seeds, it takes those that both have.
    """

    first: Row
    other: Row
    result: PairedComparison
    p_holm: float

    @property
    def origins(self) -> tuple[list[Origin], list[Origin]]:
        """The files of the seeds that are compared, of the first row and of the other."""
        first, other = shared_seeds(self.first.by_seed, self.other.by_seed)
        return (
            [one for one in self.first.origins if one.seed in first],
            [one for one in self.other.origins if one.seed in other],
        )


def comparison_rows(runs: Sequence[FinishedRun], datasets: Collection[str]) -> list[Row]:
    """Return the rows of all runs on some data sets, in print order.

    Runs whose jobs of a cell had equal plans and gave equal accuracies share one row.
    """
    groups: dict[tuple[object, ...], list[tuple[str, list[tuple[Score, Record]]]]] = {}
    for run in runs:
        cells = defaultdict(list)
        for score, record in run.scores:
            if score.key.dataset in datasets:
                cells[score.key].append((score, record))
        for key, found in cells.items():
            found.sort(key=lambda one: int(one[0].seed))
            same = (
                (one.seed, record.plan.fingerprint, one.accuracies.tobytes())
                for one, record in found
            )
            groups.setdefault((key, *same), []).append((run.name, found))
    order = [run.name for run in runs]
    return sorted(map(_row, groups.values()), key=lambda row: _rank(row, order))


def _row(members: list[tuple[str, list[tuple[Score, Record]]]]) -> Row:
    scores = [score for score, _ in members[0][1]]
    by_seed = {score.seed: score.accuracies for score in scores}
    summary, seed_std = summarize_seeds(np.stack([*by_seed.values()]))
    origins = []
    for run, found in members:
        for score, record in found:
            file = f"{score.cell}/{ACCURACIES_FILE}"
            cell = record.job.cell
            origins.append(Origin(run, cell, score.seed, file, record.entities[file].sha256))
    return Row(
        key=scores[0].key,
        runs=tuple(run for run, _ in members),
        by_seed=by_seed,
        summary=summary,
        seed_std=seed_std,
        episodes_sha256=scores[0].episodes_sha256,
        origins=tuple(origins),
    )


def _rank(row: Row, order: Sequence[str]) -> tuple[object, ...]:
    key = row.key
    cell = dataset_rank(key.dataset), source_rank(key.source), method_rank(key.method), key.learner
    return (*cell, [order.index(run) for run in row.runs], key.way, key.shot)


def comparison_tests(rows: Sequence[Row], order: Sequence[str]) -> list[Test]:
    """Test rows of different runs against each other, those of one method and setting.

    Two rows are tested if they are the same cell, or if a run of one of them lacks the other's
    cell. The later run comes first. All tests of one data set and setting are one family for Holm's
    correction. There are no tests of fewer than two episodes.

    Parameters
    ----------
    order
        The names of the runs, the earliest first.
    """
    having: dict[str, set[tuple[object, Cell]]] = defaultdict(set)
    for row in rows:
        for run in row.runs:
            having[run].add((row.setting, row.cell))
    families = defaultdict(list)
    for first, other in combinations(rows, 2):
        if first.setting == other.setting and first.key.method == other.key.method:
            lacking = _lacks(first, other, having) or _lacks(other, first, having)
            if (first.cell == other.cell or lacking) and first.summary.tasks > 1:
                families[first.setting].append((first, other))
    return [test for pairs in families.values() for test in _family(pairs, order)]


def _lacks(row: Row, other: Row, having: dict[str, set[tuple[object, Cell]]]) -> bool:
    """Return whether a run of a row lacks another row's cell."""
    return any((other.setting, other.cell) not in having[run] for run in row.runs)


def _family(pairs: Sequence[tuple[Row, Row]], order: Sequence[str]) -> Iterator[Test]:
    ordered = []
    for pair in pairs:
        later = max(pair, key=lambda row: [order.index(run) for run in row.runs])
        ordered.append((later, pair[0] if later is pair[1] else pair[1]))
    results = [
        compare_paired(*over_shared_seeds(first.by_seed, other.by_seed)) for first, other in ordered
    ]
    adjusted = holm([result.p_value for result in results])
    for (first, other), result, p_holm in zip(ordered, results, adjusted, strict=True):
        yield Test(first, other, result, p_holm)
