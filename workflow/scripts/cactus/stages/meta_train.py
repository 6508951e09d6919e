"""Meta-train a learner on tasks from the partitions of one source."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName, LearnerName
from cactus.config.sections.compute import ComputeSettings
from cactus.config.sections.learners import MamlSettings, ProtonetsSettings
from cactus.config.sections.speed import MamlSpeed, ProtonetsSpeed
from cactus.stages.base import CellKey, Reads, Spec, Stage, pool_attributes, results_of

if TYPE_CHECKING:
    from cactus.config.models import Config


class MetaTrainSpec(Spec):
    """Meta-training of one cell."""

    dataset: DatasetName
    source: str
    learner: LearnerName
    seed: int
    settings: MamlSettings | ProtonetsSettings
    speed: MamlSpeed | ProtonetsSpeed
    pool_attributes: int
    compute: ComputeSettings


class MetaTrain(Stage[CellKey]):
    """One job per cell that is meta-trained."""

    key = CellKey
    target = "models"
    folder = "models"
    results = ("model.json", "model.safetensors", "metrics.jsonl")
    main_result = "model.safetensors"

    def keys(self, config: "Config") -> Iterator[CellKey]:
        """Return the cells that are meta-trained."""
        return (CellKey(*cell) for cell in config.expanded_grid.trained_cells)

    def spec(self, config: "Config", key: CellKey) -> MetaTrainSpec:
        """Return the keys of the learner as they hold for the data set and the source."""
        return MetaTrainSpec(
            **key._asdict(),
            settings=config.learners.resolve(key.learner, key.dataset, key.source),
            speed=config.speed.resolve(key.learner, key.dataset),
            pool_attributes=pool_attributes(config, key.dataset),
            compute=config.compute,
        )

    def reads(self, config: "Config", key: CellKey) -> Iterator[Reads]:
        """Yield images, the partitions, and labels of the validation curve and of the oracle."""
        names = ["manifest.json", "train_images.npy", "val_images.npy", "val_labels.npy"]
        if key.source == "labels":
            names.append("train_labels.npy")
        yield results_of("prepare_data", key.dataset, *names)
        cell = self.job(**key._asdict()).cell
        yield results_of("make_partitions", cell, "summary.json", "partitions.npy")

    def modules(self, config: "Config", key: CellKey) -> tuple[str, ...]:
        """Return the module of the learner."""
        return (f"cactus.meta.{key.learner}.learner",)

    def uses_gpu(self, key: CellKey) -> bool:
        """Return that every learner trains on a GPU."""
        return True


STAGE: Final = MetaTrain()
