"""The whole configuration."""

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from cactus.config.printed.schedule import Change, schedule_changes
from cactus.config.printed.titles import Titles
from cactus.config.sections.acceptance import AcceptanceSettings
from cactus.config.sections.base import (
    MAX_NAME,
    RUN_PATTERN,
    DatasetName,
    Settings,
    UnfitError,
    setting,
)
from cactus.config.sections.compute import ComputeSettings
from cactus.config.sections.data.section import DataSettings
from cactus.config.sections.embeddings.section import EmbeddingSettings
from cactus.config.sections.evaluation import BaselineSettings, EvaluationSettings
from cactus.config.sections.grid import Grid, GridSettings
from cactus.config.sections.learners.section import LearnerSettings
from cactus.config.sections.learners.speed import SpeedSettings
from cactus.config.sections.operation import CheckpointSettings, GpuSettings
from cactus.config.sections.outputs import QUALITY_TABLE, OutputSettings
from cactus.config.sections.partition import PartitionSettings
from cactus.config.sections.source import BARE_KINDS, Source
from cactus.config.sections.synthetic import SyntheticSettings
from cactus.config.source_names import SourceNames
from cactus.errors import did_you_mean


class Config(Settings):
    """All settings of a run."""

    run: str = Field(
        default="paper",
        pattern=RUN_PATTERN,
        max_length=MAX_NAME,
        description="Name of the run; its results are in `results/<run>/`. A study that does not "
        "set it is named after its file.",
    )
    synthetic_data: bool = setting(
        False, "Use small generated stand-ins instead of the real data sets."
    )
    environment: Literal["locked", "site"] = setting(
        "locked",
        "Versions of the libraries that jobs run with. `locked`: those of "
        "`envs/requirements.lock`; a job refuses others. `site`: those that are installed where "
        "Snakemake starts, e.g. a cluster's own PyTorch. They are recorded, another version makes "
        "jobs stale, and the audit notes where they differ from the lock.",
    )
    reuse: bool = setting(
        True,
        "Take a job's results from another run in the folder `results` that has done exactly the "
        "same: equal code, keys, inputs, libraries and data files. False runs every job, e.g. to "
        "check that results can be reproduced.",
    )
    compute: ComputeSettings = ComputeSettings()
    gpus: GpuSettings = GpuSettings()
    checkpoints: CheckpointSettings = CheckpointSettings()
    grid: GridSettings = GridSettings()
    data: DataSettings = DataSettings()
    synthetic: SyntheticSettings = SyntheticSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()
    partitions: PartitionSettings = PartitionSettings()
    learners: LearnerSettings = LearnerSettings()
    speed: SpeedSettings = SpeedSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    baselines: BaselineSettings = BaselineSettings()
    outputs: OutputSettings = OutputSettings()

    @model_validator(mode="after")
    def _sources_are_known(self) -> Self:
        for key, name, place in self.grid.wanted_sources:
            dataset = key.split(".")[1] if place == "controls" else None
            if advice := self.source_names(dataset).advice(name, place):
                raise UnfitError(f"grid.{key}", advice)
        for name in self.partitions.hyperplanes.per_embedding:
            if advice := self.source_names().advice(name, "embeddings"):
                raise UnfitError("partitions.hyperplanes.per_embedding", advice, name)
        return self

    @model_validator(mode="after")
    def _learners_are_known(self) -> Self:
        known = self.learners.names
        for key, name in self.grid.wanted_learners:
            if name not in known:
                listed = f"known are {', '.join(known)} (add others under learners.custom)"
                fix = f"The meta-learner is unknown; {listed}"
                raise UnfitError(f"grid.{key}", f"{did_you_mean(name, known)} {fix}".lstrip())
        return self

    @model_validator(mode="after")
    def _custom_datasets_fit(self) -> Self:
        # Results and values for single data sets or embeddings go by these names.
        taken = (*self.embeddings.names, *BARE_KINDS, QUALITY_TABLE)
        for name in self.data.custom:
            if name in taken:
                fix = "an embedding, a task source or a table has this name; choose another"
                raise UnfitError("data.custom", fix, name)
        for index, name in enumerate(self.grid.datasets):
            if self.synthetic_data and name in self.data.custom:
                fix = (
                    "a data set of your own has no synthetic version: set `synthetic_data` to "
                    "false, or leave the data set out"
                )
                raise UnfitError(f"grid.datasets.{index}", fix)
        return self

    @model_validator(mode="after")
    def _variants_have_free_names(self) -> Self:
        taken = (*self.embeddings.names, *self.data.names)
        for name in self.partitions.variants:
            if name in taken:
                fix = "an embedding or a data set has this name; choose another"
                raise UnfitError("partitions.variants", fix, name)
        return self

    @cached_property
    def expanded_grid(self) -> Grid:
        """The cells that the grid's axes and patterns ask for.

        Raises
        ------
        ConfigError
            No cell is left.
        """
        return Grid.from_settings(self.grid)

    def source_names(self, dataset: DatasetName | None = None) -> SourceNames:
        """Return which task sources the grid can have, with the ways that a data set has."""
        try:
            evaluation = self.evaluation.resolve(dataset or "")
        except ValidationError:  # its own check explains what is wrong
            evaluation = self.evaluation
        ways = dict.fromkeys(one.way for one in evaluation.settings)
        return SourceNames(self.embeddings.names, self.partitions.variants, tuple(ways))

    def acceptance(
        self, learner: str, partitions: PartitionSettings, dataset: DatasetName
    ) -> AcceptanceSettings:
        """Return when a k-means run is accepted for a meta-learner.

        Parameters
        ----------
        learner
            The meta-learner.
        partitions
            Resolved for the task source.
        dataset
            The data set.
        """
        own = partitions.acceptance(learner)
        return own or self.learners.custom[learner].resolve(dataset).acceptance

    def titles(self, dataset: DatasetName | None = None) -> Titles:
        """Return the titles of what a data set's cells have; without a name, those of all cells."""
        grid = self.expanded_grid
        datasets = grid.datasets if dataset is None else (dataset,)
        used = {name for place, name, _ in grid.embedding_runs if place in datasets}
        learners = {cell.learner for cell in grid.cells if cell.dataset in datasets}
        return Titles(
            datasets=_titles_of(self.data.custom, datasets),
            embeddings=_titles_of(self.embeddings.custom, used),
            learners=_titles_of(self.learners.custom, learners),
        )

    def evaluation_of(self, dataset: DatasetName, source: str) -> EvaluationSettings:
        """Return the evaluation of the cells of a task source: a model of one way has only that."""
        return self.evaluation.resolve(dataset).of_way(Source.parse(source).way)

    @cached_property
    def _schedules(self) -> dict[DatasetName, list[Change]]:
        return {}

    def schedule(self, dataset: DatasetName) -> list[Change]:
        """Return where a data set's trainings and their tasks are not as by default."""
        if dataset not in self._schedules:
            self._schedules[dataset] = list(schedule_changes(self, dataset))
        return self._schedules[dataset]

    def pool_attributes(self, dataset: DatasetName) -> int:
        """Return the attributes of a CelebA task; 0 for data sets that do not use the key."""
        return self.partitions.resolve(dataset).pool_attributes if dataset == "celeba" else 0


def _titles_of(custom: Mapping[str, Any], names: Collection[str]) -> dict[str, str]:
    """Return the titles that some of the entries of a section `custom` have."""
    return {name: one.title for name, one in custom.items() if name in names and one.title}
