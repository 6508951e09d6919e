"""The part of the configuration that one job reads, as canonical JSON.

A job gets its spec on the command line and nothing else of the configuration, so a key that a
stage does not read cannot change its results or make them stale.
"""

import json
from typing import Any, Self

from cactus.config.base import DatasetName, LearnerName, Settings
from cactus.config.data import DataSettings
from cactus.config.evaluation import BaselineSettings, EvaluationSettings
from cactus.config.grid import Grid, Source
from cactus.config.learners import MamlSettings, ProtonetsSettings
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


class PrepareDataSpec(Spec):
    """Preparation of one data set."""

    dataset: DatasetName
    sample: bool
    settings: DataSettings

    @classmethod
    def of(cls, config: Config, dataset: DatasetName) -> Self:
        """Select the keys of one data set; where the raw files lie is no matter of content."""
        others = {"mnist", "omniglot", "miniimagenet", "celeba"} - {dataset}
        keys = config.data.model_dump(exclude={"raw_dir", "download", *others})
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
        training = config.learners.resolve(learner, dataset)
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
            settings=config.learners.resolve(learner, dataset),
            compute=config.compute,
        )


class RunBaselinesSpec(Spec):
    """Baselines on one embedding."""

    dataset: DatasetName
    embedding: str
    seed: int
    settings: BaselineSettings
    evaluation: EvaluationSettings
    compute: ComputeSettings

    @classmethod
    def of(cls, config: Config, dataset: DatasetName, embedding: str, seed: str) -> Self:
        """Select the baselines' and the episodes' keys of one data set."""
        return cls(
            dataset=dataset,
            embedding=embedding,
            seed=int(seed),
            settings=config.baselines.resolve(dataset),
            evaluation=config.evaluation.resolve(dataset),
            compute=config.compute,
        )
