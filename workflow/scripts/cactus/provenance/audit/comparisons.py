"""Verdicts and paired tests, computed again with code of the audit's own."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any, Final, NamedTuple

from cactus.config.sections.learners.section import BUILT_IN
from cactus.paper.vocabulary import is_embedding
from cactus.provenance.audit.reading.episodes import over_seeds
from cactus.provenance.audit.reading.paper_numbers import KEYS, CellKey, cell_key

_NUMBERS: Final = ("difference", "ci95", "p_value", "p_holm")
_OTHER: Final = ("source", "method", "learner")
PAIRED_COLUMNS: Final = (*KEYS, *(f"other_{name}" for name in _OTHER), *_NUMBERS)
_LEVEL: Final = 0.05

PairKey = tuple[CellKey, CellKey]


def against_paper(
    ours: Mapping[str, Any], published: Mapping[str, str] | None, synthetic: bool, split: str
) -> dict[str, float | str | None]:
    """Return the difference to a published number, its half interval, and the verdict."""
    empty = {"difference": None, "difference_ci95": None}
    if published is None:
        return {**empty, "verdict": "not in the paper"}
    if not published["accuracy"]:
        return {**empty, "verdict": "not at hand"}
    theirs, half = (float(published[name] or 0) / 100 for name in ("accuracy", "ci95"))
    difference, radius = ours["mean"] - theirs, math.hypot(ours["ci95"], half)
    if synthetic or split != "test" or published["accuracy_status"] != "verified":
        verdict = "compared"
    elif -radius <= difference <= radius:
        verdict = "reproduced"
    else:
        verdict = "above" if difference > 0 else "below"
    return {"difference": difference, "difference_ci95": radius, "verdict": verdict}


class Paired(NamedTuple):
    """A paired test; see `cactus.paper.paired_tests.paired_tests`."""

    difference: float
    ci95: float
    p_value: float
    p_holm: float

    @property
    def significant(self) -> bool:
        """Whether the methods differ, with Holm's correction."""
        return self.p_holm < _LEVEL

    def printed(self) -> dict[str, float]:
        """Return the numbers by their names in maps of tables."""
        return {"paired_difference": self.difference, "paired_ci95": self.ci95}


class PairedTests:
    """The paired tests of a run.

    Parameters
    ----------
    accuracies
        Of each method's episodes by seed, by the key of its row of results.
    """

    def __init__(self, accuracies: Mapping[CellKey, Mapping[str, Sequence[float]]]) -> None:
        families = defaultdict(list)
        for key in accuracies:
            families[key[0], *key[4:]].append(key)  # data set, way and shot
        self._tests: dict[PairKey, Paired] = {}
        for family in families.values():
            pairs = [pair for pair in product(family, family) if _compete(*pair)]
            series = {pair: _of_same_seeds(*(accuracies[key] for key in pair)) for pair in pairs}
            tests = {
                pair: paired_test(first, other)
                for pair, (first, other) in series.items()
                if 1 < len(first) == len(other)
            }
            adjusted = stepped_down({pair: test[2] for pair, test in tests.items()})
            self._tests |= {pair: Paired(*test, adjusted[pair]) for pair, test in tests.items()}

    def of(self, first: Mapping[str, Any], other: Mapping[str, Any]) -> Paired:
        """Return the test of two rows of results.

        Raises
        ------
        ValueError
            They are not compared.
        """
        pair = cell_key(first), cell_key(other)
        if pair not in self._tests:
            raise ValueError("no such pair of methods is tested")
        return self._tests[pair]

    def differences(self, rows: Sequence[Mapping[str, str]], rounding: float) -> Iterator[str]:
        """Yield how the rows of the file of paired tests differ from these tests."""
        seen = set()
        for row in rows:
            other = {**row, **{name: row[f"other_{name}"] for name in _OTHER}}
            pair = cell_key(row), cell_key(other)
            title = _title(pair)
            if pair not in self._tests or pair in seen:
                yield f"{title}: twice" if pair in seen else f"{title}: not a pair to test"
                continue
            seen.add(pair)
            for name, right in zip(_NUMBERS, self._tests[pair], strict=True):
                if not _close(row[name], right, rounding):
                    yield f"{title}: {name} {row[name]}, but its episodes give {right!r}"
        for pair in self._tests.keys() - seen:
            yield f"{_title(pair)}: no row"


def _of_same_seeds(
    first: Mapping[str, Sequence[float]], other: Mapping[str, Sequence[float]]
) -> tuple[list[float], list[float]]:
    """Average each method over the seeds that both have, or over its own if they share none."""
    shared = first.keys() & other.keys()
    one, two = (over_seeds([each[seed] for seed in shared or each]) for each in (first, other))
    return one, two


def _compete(first: CellKey, other: CellKey) -> bool:
    """Return whether a method is a CACTUs cell that is tested against another one."""
    one, two = (dict(zip(KEYS, key, strict=True)) for key in (first, other))
    if not one["method"].startswith("cactus-"):
        return False
    if two["method"] == "scratch":
        return True
    base = one["source"].removeprefix("hyperplanes-").partition("+")[0]
    if two["source"] != base:
        return False
    if one["source"] != base:
        return one["learner"] == two["learner"]
    if not is_embedding(base):
        return False
    # The paper's two learners are the first, others follow by name; each pair is tested once.
    places = [(name not in BUILT_IN, name) for name in (one["learner"], two["learner"])]
    return not two["learner"] or places[0] < places[1]


def _title(pair: PairKey) -> str:
    first, other = pair
    return f"{' '.join(first)} against {' '.join(other[1:4])}"


def _close(text: str, right: float, rounding: float) -> bool:
    try:
        return abs(float(text) - right) <= rounding
    except ValueError:
        return False


def paired_test(first: Sequence[float], other: Sequence[float]) -> tuple[float, float, float]:
    """Return mean, half the 95 % t interval and p-value of the differences of two methods.

    Raises
    ------
    ValueError
        The methods have different numbers of episodes.
    """
    gaps = [round(one - two, 12) for one, two in zip(first, other, strict=True)]
    count, freedom = len(gaps), len(gaps) - 1
    mean = math.fsum(gaps) / count
    error = math.sqrt(math.fsum((gap - mean) ** 2 for gap in gaps) / freedom / count)
    if error == 0:
        return mean, 0.0, float(mean == 0)
    return mean, _quantile(freedom) * error, 1 - _within(abs(mean) / error, freedom)


def stepped_down(p_values: Mapping[PairKey, float]) -> dict[PairKey, float]:
    """Return the p-values of a family after Holm's step-down correction."""
    adjusted: dict[PairKey, float] = {}
    largest, left = 0.0, len(p_values)
    for pair, value in sorted(p_values.items(), key=lambda item: item[1]):
        largest = max(largest, min(1.0, left * value))
        adjusted[pair] = largest
        left -= 1
    return adjusted


def _within(t: float, freedom: int) -> float:
    """Return the probability that Student's t lies between -t and t.

    A finite series (Abramowitz and Stegun, 1964, 26.7.3 and 26.7.4).
    """
    angle = math.atan(t / math.sqrt(freedom))
    cosine, odd = math.cos(angle), freedom % 2
    term = cosine if odd else 1.0
    terms = [] if freedom == 1 else [term]
    for index in range(2 + odd, freedom - 1, 2):
        term *= (index - 1) / index * cosine**2
        terms.append(term)
    total = math.sin(angle) * math.fsum(terms)
    return 2 / math.pi * (angle + total) if odd else total


@cache
def _quantile(freedom: int) -> float:
    """Return the t between whose negative and itself Student's t lies with 95 %."""
    low, high = 0.0, 13.0  # 12.7 for one degree of freedom
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 0.95 else (low, middle)
    return high
