"""Meta-train a learner on tasks from the partitions of one source."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from cactus.config.sections.base import DatasetName
from cactus.config.sections.compute import ComputeSettings
from cactus.stages.base import CellStage, CellWildcards, Inputs, Spec, inputs_from

if TYPE_CHECKING:
    from cactus.config.models import Config


class MetaTrainSpec(Spec):
    """Meta-training of one cell; the learner validates its settings."""

    dataset: DatasetName
    source: str
    learner: str
    seed: int
    settings: dict[str, Any]
    speed: dict[str, Any] | None
    pool_attributes: int
    compute: ComputeSettings


class MetaTrain(CellStage):
    """One job per meta-trained cell."""

    target = "models"
    folder = "models"
    results = ("model.json", "model.safetensors", "metrics.jsonl")
    gpu = True
    work = ("settings.iterations",)
    same_time = ("source",)
    main_result = "model.safetensors"

    def spec(self, config: "Config", wildcards: CellWildcards) -> MetaTrainSpec:
        """Return the learner's keys, resolved for the data set and the source."""
        learner, dataset = wildcards.learner, wildcards.dataset
        settings = config.learners.resolve(learner, dataset, wildcards.source).for_training()
        speed = config.speed.resolve(learner, dataset)
        return MetaTrainSpec(
            **wildcards._asdict(),
            settings=settings.model_dump(mode="json"),
            speed=speed and speed.model_dump(mode="json"),
            pool_attributes=config.pool_attributes(wildcards.dataset),
            compute=config.compute,
        )

    def inputs(self, config: "Config", wildcards: CellWildcards) -> Iterator[Inputs]:
        """Yield images, partitions, and the labels of the validation curve and of the oracle."""
        names = ["manifest.json", "train_images.npy", "val_images.npy", "val_labels.npy"]
        if wildcards.source == "labels":
            names.append("train_labels.npy")
        yield inputs_from("prepare_data", wildcards.dataset, *names)
        cell = self.job(**wildcards._asdict()).cell
        yield inputs_from("make_partitions", cell, "summary.json", "partitions.npy")

    def modules(self, config: "Config", wildcards: CellWildcards) -> tuple[str, ...]:
        """Return the modules of the learner."""
        return config.learners.modules(wildcards.learner)

    def declared_files(self, config: "Config", wildcards: CellWildcards) -> list[str]:
        """Return the data files that a custom learner reads."""
        return config.learners.files(wildcards.learner, wildcards.dataset)


STAGE: Final = MetaTrain()
