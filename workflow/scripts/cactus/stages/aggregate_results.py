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
    """The run's name, and the folders of all scores, relative to the run's folder."""

    run: str
    cells: list[str]


class AggregateResults(RunStage):
    """One job per run."""

    target = "results"
    results = ("tables/results.csv", "tables/paired_tests.csv")
    local = True

    def spec(self, config: "Config", wildcards: RunWildcards) -> AggregateResultsSpec:
        """Return the folders of all evaluations and baselines."""
        scored = self._scored(config)
        folders = [str(read.job.folder) for read in scored]
        return AggregateResultsSpec(run=config.run, cells=folders)

    def inputs(self, config: "Config", wildcards: RunWildcards) -> Iterator[Inputs]:
        """Yield all scores, and the manifests of the data sets."""
        yield from self._scored(config)
        for dataset in config.expanded_grid.datasets:
            yield inputs_from("prepare_data", dataset, "manifest.json")

    def data_files(self, wildcards: RunWildcards) -> tuple[DataFile, ...]:
        """Return the file of the published numbers."""
        return (DataFile("config/paper_results.csv"),)

    def _scored(self, config: "Config") -> Iterator[Inputs]:
        for stage in map(stage_named, stage_names()):
            if stage.scores:
                yield from (Inputs(job, job.files) for job in stage.jobs(config))


STAGE: Final = AggregateResults()
RESULTS: Final = STAGE.job()
