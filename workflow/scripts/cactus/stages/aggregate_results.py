"""Collect every number of a run into one tidy table, and test its methods in pairs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.stages.base import (
    DataFile,
    Inputs,
    RunStage,
    RunWildcards,
    Spec,
    inputs_from,
    stage_named,
    stage_names,
)

if TYPE_CHECKING:
    from cactus.config.models import Config


class AggregateResultsSpec(Spec):
    """The run's name, the folders of its scores and qualities, and the splits of its data sets."""

    run: str
    cells: list[str]
    qualities: list[str]
    splits: dict[str, str]  # that episodes are drawn from, by data set


class AggregateResults(RunStage):
    """One job per run."""

    target = "results"
    results = (
        "tables/results.csv",
        "tables/paired_tests.csv",
        "tables/partition_quality.csv",
        "tables/datapackage.json",  # their columns
    )
    local = True

    def spec(self, config: "Config", wildcards: RunWildcards) -> AggregateResultsSpec:
        """Return the folders of all evaluations, baselines and qualities, and the splits.

        The files are in an order of their own, so that of the study does not count.
        """
        datasets = config.expanded_grid.datasets
        return AggregateResultsSpec(
            run=config.run,
            cells=sorted(str(read.job.folder) for read in self._scored(config)),
            qualities=sorted(str(read.job.folder) for read in self._measured(config)),
            splits={name: config.evaluation.resolve(name).split for name in datasets},
        )

    def inputs(self, config: "Config", wildcards: RunWildcards) -> Iterator[Inputs]:
        """Yield all scores and qualities, and the manifests of the data sets."""
        yield from self._scored(config)
        yield from self._measured(config)
        for dataset in config.expanded_grid.datasets:
            yield inputs_from("prepare_data", dataset, "manifest.json")

    def data_files(self, config: "Config", wildcards: RunWildcards) -> tuple[DataFile, ...]:
        """Return the file of the published numbers."""
        return (DataFile("config/paper_results.csv"),)

    def _scored(self, config: "Config") -> Iterator[Inputs]:
        for stage in map(stage_named, stage_names()):
            if stage.scores:
                for job in stage.jobs(config):
                    yield inputs_from(job.stage, job.cell, "summary.json", "accuracies.csv")

    def _measured(self, config: "Config") -> Iterator[Inputs]:
        for job in stage_named("measure_partitions").jobs(config):
            yield inputs_from(job.stage, job.cell, "quality.csv")


STAGE: Final = AggregateResults()
RESULTS: Final = STAGE.job()
