"""Paired tests between the methods of a run, on the episodes that they share."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import pandas as pd

from cactus.evaluate.comparison import compare_paired, holm, over_shared_seeds
from cactus.evaluate.statistics import Accuracies
from cactus.paper.paired import COLUMNS
from cactus.paper.scores import Score, ScoreKey
from cactus.paper.vocabulary import (
    base_source,
    dataset_rank,
    is_embedding,
    method_rank,
    source_rank,
)

_Seeds = dict[ScoreKey, dict[str, Accuracies]]


class Pair(NamedTuple):
    """Two methods of one data set and setting; the first is a CACTUs cell."""

    first: ScoreKey
    other: ScoreKey


def paired_tests(scores: Sequence[Score], run: str) -> pd.DataFrame:
    """Compare each CACTUs cell with the methods that it competes with.

    These are training from scratch and, for cells on an embedding, the baselines and the other
    meta-learners on it (once per pair). Cells on other sources have the same meta-learner on
    `cactus.paper.vocabulary.base_source` instead. With several seeds, each episode's accuracy is
    first averaged over `cactus.evaluate.comparison.shared_seeds`. All pairs of one data set and
    setting are one family for Holm's correction. There are no tests of fewer than two episodes.

    Returns
    -------
    DataFrame
        `cactus.paper.paired.COLUMNS`: ``difference`` is the first method minus the other, ``ci95``
        the half-width of its Student's t interval, ``p_value`` that of the paired t-test and
        ``p_holm`` the same after Holm's correction. Accuracies are fractions.
    """
    seeds: _Seeds = defaultdict(dict)
    for score in scores:
        seeds[score.key][score.seed] = score.accuracies
    families = defaultdict(list)
    for pair in _pairs(seeds):
        key = pair.first
        if len(next(iter(seeds[key].values()))) > 1:
            families[key.dataset, key.way, key.shot].append(pair)
    rows = [row for family in families.values() for row in _family(family, seeds)]
    return pd.DataFrame(rows, columns=COLUMNS[1:]).assign(run=run)[COLUMNS]


def _pairs(keys: Iterable[ScoreKey]) -> Iterator[Pair]:
    """Yield the pairs to compare, in print order."""
    ordered = sorted(keys, key=_rank)
    for first, other in product(ordered, ordered):
        if (first.dataset, first.way, first.shot) == (other.dataset, other.way, other.shot):
            yield from [Pair(first, other)] if _competes(first, other) else []


def _rank(key: ScoreKey) -> tuple[object, ...]:
    place = dataset_rank(key.dataset), key.way, key.shot
    return (*place, source_rank(key.source), method_rank(key.method))


def _competes(first: ScoreKey, other: ScoreKey) -> bool:
    """Return whether a method is a CACTUs cell that is compared with another method."""
    if not first.method.startswith("cactus-"):
        return False
    if other.method == "scratch":
        return True
    base = base_source(first.source)
    if first.source != base:
        return (other.source, other.method) == (base, first.method)
    if other.source != base or not is_embedding(base):
        return False
    return not other.learner or method_rank(first.method) < method_rank(other.method)


def _family(pairs: Sequence[Pair], seeds: _Seeds) -> Iterator[Any]:
    """Yield the rows of the pairs of one data set and setting."""
    tests = [
        compare_paired(*over_shared_seeds(seeds[first], seeds[other])) for first, other in pairs
    ]
    adjusted = holm([test.p_value for test in tests])
    for (first, other), test, p_holm in zip(pairs, tests, adjusted, strict=True):
        yield {
            **first._asdict(),
            **{f"other_{name}": getattr(other, name) for name in ("source", "method", "learner")},
            "tasks": test.tasks,
            "difference": test.difference,
            "ci95": (test.high - test.low) / 2,
            "p_value": test.p_value,
            "p_holm": p_holm,
        }
