"""Differences of two runs: in configuration, code, data, libraries and numbers."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from cactus.evaluate.comparison import PairedComparison, compare_paired
from cactus.paper.scores import Score, ScoreKey, read_cell
from cactus.provenance.records.reasons import ABSENT, flatten
from cactus.provenance.records.record import Record
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job


class Difference(NamedTuple):
    """A value that differs between two runs.

    Attributes
    ----------
    kind
        ``job`` (recorded in one run only), ``key`` (of the whole configuration, which is compared
        if no job has run in both), ``config``, ``code``, ``raw``, ``file``, ``library``, ``python``
        or ``device``.
    name
        The job, the key, the stage and key, the file or the library.
    first, second
        The values; `ABSENT` if a run has none.
    jobs
        Number of jobs that it concerns.
    """

    kind: str
    name: str
    first: str
    second: str
    jobs: int


class NumberDifference(NamedTuple):
    """A number that both runs have.

    Attributes
    ----------
    key, seed
        What was scored.
    first, second
        Mean accuracies of the two runs, as fractions.
    paired
        The first minus the second on the same episodes; None if they differ or are fewer than two.
    """

    key: ScoreKey
    seed: str
    first: float
    second: float
    paired: PairedComparison | None


def run_in_both(first: Planner, second: Planner) -> list[Job]:
    """Return the jobs that have a record in both runs: the only ones that can be compared."""
    others = {record.job for record in second.records()}
    return [record.job for record in first.records() if record.job in others]


def run_differences(first: Planner, second: Planner) -> Iterator[Difference]:
    """Yield the differences between the records of two runs; what one of them lacks comes last.

    If no job has run in both, the keys that differ between their configurations come first.
    """
    facts = _facts(first), _facts(second)
    if not facts[0].keys() & facts[1].keys():
        yield from _key_differences(first, second)
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for job in [job for job in facts[0] if job in facts[1]]:
        for kind, name in sorted({*facts[0][job], *facts[1][job]}):
            old, new = (one[job].get((kind, name), ABSENT) for one in facts)
            if old != new:
                counts[kind, name, old, new] += 1
    for (kind, name, old, new), count in sorted(
        counts.items(), key=lambda one: (ABSENT in one[0][2:], one)
    ):
        yield Difference(kind, name, old, new, count)
    for job in sorted({*facts[0]} ^ {*facts[1]}):
        states = ["recorded" if job in one else ABSENT for one in facts]
        yield Difference("job", job.name, states[0], states[1], 1)


def _key_differences(first: Planner, second: Planner) -> Iterator[Difference]:
    """Yield the keys of the configurations that differ, but for the name of the run."""
    both = [flatten(one.config.model_dump(mode="json", exclude={"run"})) for one in (first, second)]
    for key in sorted({*both[0], *both[1]}):
        old, new = (json.dumps(one[key], sort_keys=True) if key in one else ABSENT for one in both)
        if old != new:
            yield Difference("key", key, old, new, 0)


def _facts(planner: Planner) -> dict[Job, dict[tuple[str, str], str]]:
    """Return configuration, code, data, libraries and device of each recorded job."""
    return {record.job: dict(_record_facts(record)) for record in planner.records()}


def _record_facts(record: Record) -> Iterator[tuple[tuple[str, str], str]]:
    plan, agent = record.plan, record.agent
    for key, value in flatten(plan.spec).items():
        yield ("config", f"{plan.stage}: {key}"), json.dumps(value, sort_keys=True)
    files = {**plan.files, **plan.declared}
    for kind, values in (("code", plan.code), ("raw", plan.raw), ("file", files)):
        yield from (((kind, name), value) for name, value in values.items())
    yield from ((("library", name), version) for name, version in agent.libraries.items())
    yield ("python", "python"), agent.python
    for name, value in (agent.device or {}).items():
        yield ("device", name), str(value)


def number_differences(first: Planner, second: Planner) -> Iterator[NumberDifference]:
    """Yield the numbers that both runs have, paired if they were scored on the same episodes."""
    others = {(score.key, score.seed): score for score in _scores(second)}
    for score in _scores(first):
        other = others.get((score.key, score.seed))
        if other is not None:
            means = float(score.accuracies.mean()), float(other.accuracies.mean())
            yield NumberDifference(score.key, score.seed, *means, _paired(score, other))


def _paired(first: Score, second: Score) -> PairedComparison | None:
    shared = first.episodes_sha256 == second.episodes_sha256
    if not shared or len(first.accuracies) < 2:
        return None
    return compare_paired(first.accuracies, second.accuracies)


def _scores(planner: Planner) -> Iterator[Score]:
    for record in planner.records():
        if record.job.definition.scores:
            yield from read_cell(planner.run_folder, str(record.job.folder))


def as_json(first: Planner, second: Planner) -> dict[str, Any]:
    """Return all differences as JSON values."""
    return {
        "jobs_in_both": len(run_in_both(first, second)),
        "differences": [one._asdict() for one in run_differences(first, second)],
        "numbers": [
            {
                **one.key._asdict(),
                "seed": one.seed,
                "first": one.first,
                "second": one.second,
                "paired": vars(one.paired) if one.paired else None,
            }
            for one in number_differences(first, second)
        ],
    }
