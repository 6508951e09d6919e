"""Finished runs to compare: which data sets they share, and whether their numbers fit together."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from cactus.config.sections.base import DatasetName
from cactus.errors import RecordError
from cactus.paper.scores import Score, read_cell
from cactus.paper.vocabulary import setting_title
from cactus.provenance.audit.report import passing_audit
from cactus.provenance.records.reasons import ABSENT, flatten
from cactus.provenance.records.record import Record
from cactus.provenance.staleness.planner import Planner
from cactus.stages.prepare_data import STAGE as PREPARE_DATA

_SHOWN = 5  # differences that an error names


@dataclass(frozen=True)
class FinishedRun:
    """A run that passed its audit.

    Attributes
    ----------
    name
        The name of its folder, under which rows have it.
    planner
        Its planner, with an empty cache of hashes.
    notes
        What its audit notes.
    """

    name: str
    planner: Planner
    notes: tuple[str, ...]

    @cached_property
    def scores(self) -> list[tuple[Score, Record]]:
        """Every score of the run, each with the record of the job that made it."""
        return [
            (score, record)
            for record in self.planner.records()
            if record.job.definition.scores
            for score in read_cell(self.planner.run_folder, str(record.job.folder))
        ]

    def facts(self, dataset: DatasetName) -> Iterator[tuple[str, str]]:
        """Yield what has to be the same for accuracies on a data set to be comparable."""
        config = self.planner.config
        evaluation = config.evaluation.resolve(dataset).model_dump(mode="json")
        for key, value in flatten({**evaluation, "per_dataset": {}}).items():
            yield f"evaluation.{key}", json.dumps(value)
        yield "partitions.pool_attributes", str(config.pool_attributes(dataset))
        prepared = self.planner.record(PREPARE_DATA.job(dataset=dataset))
        for name, entity in prepared.entities.items() if prepared else ():
            if name.endswith(".npy"):
                yield name, entity.sha256[:12]

    def episodes(self, dataset: DatasetName) -> Iterator[tuple[str, str]]:
        """Yield the episodes of each setting that some cell of the run was scored on."""
        for score, _ in self.scores:
            if score.key.dataset == dataset:
                title = f"episodes of {setting_title(score.key.way, score.key.shot)}"
                yield title, f"{len(score.accuracies)} with sha256 {score.episodes_sha256[:12]}"


def finished_runs(planners: Sequence[Planner]) -> list[FinishedRun]:
    """Audit some runs, in the order in which they were named.

    Raises
    ------
    RecordError
        There are fewer than two, two have one name, or one does not pass its audit.
    """
    names = [planner.run_folder.resolve().name for planner in planners]
    if len(names) < 2 or len({*names}) < len(names):
        raise RecordError(
            "A comparison needs at least two runs, each with a name of its own.",
            where="the command line",
            got=", ".join(names),
            fix="name two runs or more, each once; rename the folder of one if they share a name",
        )
    found = []
    for name, planner in zip(names, planners, strict=True):
        report = passing_audit(planner, "cannot be compared")
        found.append(FinishedRun(name, planner, report.notes))
    return found


def shared_datasets(runs: Sequence[FinishedRun]) -> list[DatasetName]:
    """Return the data sets that two runs or more have; check that those fit together.

    Raises
    ------
    RecordError
        No data set is shared, or two runs differ in the data, the episodes or the settings of the
        evaluation.
    """
    having: dict[DatasetName, list[FinishedRun]] = {}
    for run in runs:
        for dataset in run.planner.config.expanded_grid.datasets:
            having.setdefault(dataset, []).append(run)
    shared = {dataset: some for dataset, some in having.items() if len(some) > 1}
    if not shared:
        raise RecordError(
            "Two runs cannot be compared.",
            where=" and ".join(run.name for run in runs),
            got="; ".join(f"{some[0].name} has {name}" for name, some in having.items()),
            fix="compare runs that share a data set",
        )
    for dataset, (first, *others) in shared.items():
        for other in others:
            _check_same(dataset, first, other)
    return list(shared)


def _check_same(dataset: DatasetName, first: FinishedRun, other: FinishedRun) -> None:
    one, two = dict(first.facts(dataset)), dict(other.facts(dataset))
    drawn = [dict(run.episodes(dataset)) for run in (first, other)]
    for name in sorted(drawn[0].keys() & drawn[1].keys()):
        one[name], two[name] = drawn[0][name], drawn[1][name]
    wrong = [
        f"{name}: {one.get(name, ABSENT)} and {two.get(name, ABSENT)}"
        for name in dict.fromkeys([*one, *two])
        if one.get(name) != two.get(name)
    ]
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise RecordError(
            "Two runs cannot be compared.",
            where=f"{dataset}: {first.name} and {other.name}",
            got="; ".join(wrong[:_SHOWN]) + more,
            fix="give both the same data and section `evaluation`, or leave one of them out",
        )
