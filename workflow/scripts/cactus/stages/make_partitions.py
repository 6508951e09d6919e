"""Partition the training images into the classes of meta-training tasks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName, LearnerName
from cactus.config.sections.compute import ComputeSettings
from cactus.config.sections.partition import PartitionSettings
from cactus.config.sections.source import Source
from cactus.stages.base import CellKey, Reads, Spec, Stage, results_of
from cactus.tasks.kmeans.loader import GPU_MODULE, may_use_gpu

if TYPE_CHECKING:
    from cactus.config.models import Config

_KMEANS_KEYS: Final = {"clusters", "max_iterations", "tolerance", "max_restarts"}


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
    compute: ComputeSettings


class MakePartitions(Stage[CellKey]):
    """One job per cell that is meta-trained; the learner decides the least size of a class."""

    key = CellKey
    target = "partitions"
    folder = "partitions"
    results = ("summary.json",)
    main_result = "partitions.npy"

    def keys(self, config: "Config") -> Iterator[CellKey]:
        """Return the cells that are meta-trained."""
        return (CellKey(*cell) for cell in config.expanded_grid.trained_cells)

    def spec(self, config: "Config", key: CellKey) -> MakePartitionsSpec:
        """Return the keys of one source, and the shape of the learner's episodes."""
        training = config.learners.resolve(key.learner, key.dataset, key.source)
        source, settings = Source.parse(key.source), config.partitions.resolve(key.dataset)
        keys = settings.model_dump(include=_partition_keys(source, key))
        if "hyperplanes" in keys:
            keys["hyperplanes"] = settings.hyperplanes.resolve(str(source.embedding)).model_dump()
        return MakePartitionsSpec(
            **key._asdict(),
            settings=PartitionSettings.model_validate({**keys, "per_dataset": {}}),
            way=training.way,
            shot=training.shot,
            query=training.query,
            compute=config.compute,
        )

    def reads(self, config: "Config", key: CellKey) -> Iterator[Reads]:
        """Yield the one array of the training split that the source is made from."""
        source = Source.parse(key.source)
        match source.input:
            case "embeddings":
                cell = f"{key.dataset}/{source.embedding}/s{key.seed}"
                yield results_of("train_embedding", cell, "manifest.json", "train.npy")
            case kind:
                names = ("manifest.json", f"train_{kind}.npy")
                yield results_of("prepare_data", key.dataset, *names)

    def modules(self, config: "Config", key: CellKey) -> tuple[str, ...]:
        """Return the k-means of GPUs, where the device is not fixed to the CPU."""
        gpu = may_use_gpu(Source.parse(key.source), config.compute)
        return (GPU_MODULE,) if gpu else ()

    def uses_gpu(self, key: CellKey) -> bool:
        """Return whether k-means makes the partitions; the rest needs no GPU."""
        return Source.parse(key.source).by_kmeans


def _partition_keys(source: Source, key: CellKey) -> set[str]:
    """Return the keys of `partitions` that one kind of source reads."""
    match source.kind:
        case "kmeans":
            return _KMEANS_KEYS | {"count", "scale_low", "scale_high", key.learner}
        case "single":
            return _KMEANS_KEYS | {key.learner}
        case "pixels":
            return _KMEANS_KEYS | {"scale_low", "scale_high", "pixels"}
        case "random" | "hyperplanes":
            return {source.kind}
    return {"pool_attributes"} if key.dataset == "celeba" else set()


STAGE: Final = MakePartitions()
