"""The part of the configuration that one job reads, as canonical JSON.

A job gets its spec on the command line and nothing else of the configuration, so a key that a
stage does not read cannot change its results or make them stale.
"""

import json
from typing import Any, Self

from cactus.config.base import DatasetName, LearnerName, Settings
from cactus.config.data import DataSettings
from cactus.config.evaluation import BaselineSettings, EvaluationSettings
from cactus.config.grid import Grid
from cactus.config.learners import MamlSettings, ProtonetsSettings, ScratchSettings
from cactus.config.models import ComputeSettings, Config
from cactus.config.outputs import OutputSettings
from cactus.config.partition import PartitionSettings
from cactus.config.sample import SampleSettings


class Spec(Settings):
    """What a job of one stage reads."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a spec from the JSON of the command line."""
        return cls.model_validate_json(text)

    def text(self) -> str:
        """Return canonical JSON: sorted keys, no spaces."""
        return json.dumps(
            self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False
        )


class MakeSampleSpec(Spec):
    """Sample data of one data set."""

    dataset: DatasetName
    settings: SampleSettings

    @classmethod
    def of(cls, config: Config, dataset: DatasetName) -> Self:
        """Select the keys of one data set."""
        keys = config.sample.model_dump(include={"seed", dataset})
        return cls(dataset=dataset, settings=SampleSettings.model_validate(keys))


_ACCESS_KEYS = {"raw_dir", "download", "download_timeout", "download_attempts"}


class RawAccess(Spec):
    """How raw files are reached; it cannot change what is prepared from them."""

    raw_dir: str
    download: bool
    download_timeout: float
    download_attempts: int

    @classmethod
    def of(cls, config: Config) -> Self:
        """Select the keys; sample data are made below the run's folder, never downloaded."""
        access = cls.model_validate(config.data.model_dump(include=_ACCESS_KEYS))
        if not config.sample_data:
            return access
        return access.model_copy(update={"raw_dir": f"results/{config.run}/raw", "download": False})


class PrepareDataSpec(Spec):
    """Preparation of one data set."""

    dataset: DatasetName
    sample: bool
    settings: DataSettings

    def with_access(self, access: RawAccess) -> DataSettings:
        """Return the settings with the keys of `access` filled in."""
        return self.settings.model_copy(update=access.model_dump())

    @classmethod
    def of(cls, config: Config, dataset: DatasetName) -> Self:
        """Select the keys of one data set, but for those of `RawAccess`."""
        others = {"mnist", "omniglot", "miniimagenet", "celeba"} - {dataset}
        keys = config.data.model_dump(exclude={*_ACCESS_KEYS, *others})
        return cls(
            dataset=dataset,
            sample=config.sample_data,
            settings=DataSettings.model_validate(keys),
        )


class TrainEmbeddingSpec(Spec):
    """Training of one embedding."""

    dataset: DatasetName
    embedding: str
    seed: int
    settings: dict[str, Any]
    compute: ComputeSettings

    @classmethod
    def of(cls, config: Config, dataset: DatasetName, embedding: str, seed: str) -> Self:
        """Select the keys of one embedding on one data set."""
        settings = config.embeddings.resolve(embedding, dataset)
        return cls(
            dataset=dataset,
            embedding=embedding,
            seed=int(seed),
            settings=settings.model_dump(mode="json", exclude={"per_dataset"}),
            compute=config.compute,
        )


class MakePartitionsSpec(Spec):
    """Partitions of the training images for one meta-learner."""

    dataset: DatasetName
    source: str
    learner: LearnerName
    seed: int
    settings: PartitionSettings
    way: int
    shot: int
    query: int

    @classmethod
    def of(
        cls, config: Config, dataset: DatasetName, source: str, learner: LearnerName, seed: str
    ) -> Self:
        """Select the keys of one source; the learner decides the size of the classes."""
        training = config.learners.resolve(learner, dataset, source)
        return cls(
            dataset=dataset,
            source=source,
            learner=learner,
            seed=int(seed),
            settings=config.partitions.resolve(dataset),
            way=training.way,
            shot=training.shot,
            query=training.query,
        )


class MetaTrainSpec(Spec):
    """Meta-training of one cell."""

    dataset: DatasetName
    source: str
    learner: LearnerName
    seed: int
    settings: MamlSettings | ProtonetsSettings
    pool_attributes: int
    compute: ComputeSettings

    @classmethod
    def of(
        cls, config: Config, dataset: DatasetName, source: str, learner: LearnerName, seed: str
    ) -> Self:
        """Select the keys of one meta-learner on one data set."""
        return cls(
            dataset=dataset,
            source=source,
            learner=learner,
            seed=int(seed),
            settings=config.learners.resolve(learner, dataset, source),
            pool_attributes=config.partitions.resolve(dataset).pool_attributes,
            compute=config.compute,
        )


class EvaluateModelSpec(Spec):
    """Evaluation of one cell."""

    dataset: DatasetName
    source: str
    learner: LearnerName
    seed: int
    settings: MamlSettings | ProtonetsSettings
    scratch: ScratchSettings | None
    evaluation: EvaluationSettings
    pool_attributes: int
    compute: ComputeSettings

    @classmethod
    def of(
        cls, config: Config, dataset: DatasetName, source: str, learner: LearnerName, seed: str
    ) -> Self:
        """Select the learner's and the episodes' keys; the scratch keys for the scratch row."""
        scratch = config.learners.scratch.resolve(dataset) if source == "scratch" else None
        return cls(
            dataset=dataset,
            source=source,
            learner=learner,
            seed=int(seed),
            settings=config.learners.resolve(learner, dataset, source),
            scratch=scratch,
            evaluation=config.evaluation.resolve(dataset),
            pool_attributes=config.partitions.resolve(dataset).pool_attributes,
            compute=config.compute,
        )


class RunBaselinesSpec(Spec):
    """Baselines on one embedding."""

    dataset: DatasetName
    embedding: str
    seed: int
    settings: BaselineSettings
    evaluation: EvaluationSettings
    pool_attributes: int
    threads: int

    @classmethod
    def of(cls, config: Config, dataset: DatasetName, embedding: str, seed: str) -> Self:
        """Select the baselines' and the episodes' keys of one data set."""
        return cls(
            dataset=dataset,
            embedding=embedding,
            seed=int(seed),
            settings=config.baselines.resolve(dataset),
            evaluation=config.evaluation.resolve(dataset),
            pool_attributes=config.partitions.resolve(dataset).pool_attributes,
            threads=config.compute.threads,
        )


class AggregateResultsSpec(Spec):
    """The table of every number."""

    cells: list[str]

    @classmethod
    def of(cls, config: Config) -> Self:
        """List the folders of all results, below the run's folder."""
        grid = Grid.from_settings(config.grid)
        baselines = (f"baselines/{d}/{e}/s{s}" for d, e, s in grid.baseline_runs)
        return cls(cells=[*(f"evaluations/{cell.name}" for cell in grid.cells), *baselines])


class MakeTableSpec(Spec):
    """One LaTeX table."""

    dataset: DatasetName
    settings: OutputSettings

    @classmethod
    def of(cls, config: Config, dataset: DatasetName) -> Self:
        """Select the keys of tables."""
        return cls(dataset=dataset, settings=config.outputs)


class MakeFigureSpec(Spec):
    """One figure, of the whole run or of one data set."""

    figure: str
    dataset: DatasetName | None
    settings: OutputSettings

    @classmethod
    def of(cls, config: Config, figure: str) -> Self:
        """Split a figure's name, ``<figure>`` or ``<figure>-<dataset>``."""
        name, _, dataset = figure.partition("-")
        return cls.model_validate(
            {"figure": name, "dataset": dataset or None, "settings": config.outputs}
        )


_STAGES: dict[str, Any] = {
    "make_sample": MakeSampleSpec,
    "prepare_data": PrepareDataSpec,
    "train_embedding": TrainEmbeddingSpec,
    "make_partitions": MakePartitionsSpec,
    "meta_train": MetaTrainSpec,
    "evaluate_model": EvaluateModelSpec,
    "run_baselines": RunBaselinesSpec,
    "aggregate_results": AggregateResultsSpec,
    "make_table": MakeTableSpec,
    "make_figure": MakeFigureSpec,
}


def stage_spec(config: Config, stage: str, **wildcards: str) -> str:
    """Return the spec of one job as canonical JSON.

    Parameters
    ----------
    stage
        Name of the rule.
    wildcards
        The rule's wildcards, e.g. ``dataset`` and ``seed``.
    """
    spec: Spec = _STAGES[stage].of(config, **wildcards)
    return spec.text()
