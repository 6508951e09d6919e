"""Collect every number of a run into one tidy table."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.stages.base import (
    DataFile,
    Reads,
    RunKey,
    Spec,
    Stage,
    results_of,
    stage_named,
    stage_names,
)

if TYPE_CHECKING:
    from cactus.config.models import Config


class AggregateResultsSpec(Spec):
    """The run's name, and the folders of all results below the run's folder."""

    run: str
    cells: list[str]


class AggregateResults(Stage[RunKey]):
    """One job per run."""

    key = RunKey
    target = "results"
    results = ("tables/results.csv",)
    light = True

    def keys(self, config: "Config") -> Iterator[RunKey]:
        """Return the one job of a run."""
        yield RunKey()

    def spec(self, config: "Config", key: RunKey) -> AggregateResultsSpec:
        """Return the folders of all evaluations and baselines."""
        scored = self._scored(config)
        folders = [str(read.job.folder) for read in scored]
        return AggregateResultsSpec(run=config.run, cells=folders)

    def reads(self, config: "Config", key: RunKey) -> Iterator[Reads]:
        """Yield all scores, and what the data sets say of themselves."""
        yield from self._scored(config)
        for dataset in config.expanded_grid.datasets:
            yield results_of("prepare_data", dataset, "manifest.json")

    def data_files(self, key: RunKey) -> tuple[DataFile, ...]:
        """Return the file of the published numbers."""
        return (DataFile("config/paper_results.csv"),)

    def _scored(self, config: "Config") -> Iterator[Reads]:
        for stage in map(stage_named, stage_names()):
            if stage.scores:
                yield from (Reads(job, job.files) for job in stage.jobs(config))


STAGE: Final = AggregateResults()
RESULTS: Final = STAGE.job()
