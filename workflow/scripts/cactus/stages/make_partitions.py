"""Partition the training images into the classes of meta-training tasks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.acceptance import AcceptanceSettings
from cactus.config.sections.base import DatasetName
from cactus.config.sections.compute import ComputeSettings
from cactus.config.sections.partition import RULES, PartitionSettings
from cactus.config.sections.source import Source
from cactus.stages.base import CellStage, CellWildcards, Inputs, Spec, inputs_from

if TYPE_CHECKING:
    from cactus.config.models import Config


class MakePartitionsSpec(Spec):
    """Partitions of the training images for one cell."""

    dataset: DatasetName
    source: str
    learner: str
    seed: int
    settings: PartitionSettings
    acceptance: AcceptanceSettings
    way: int
    shot: int
    query: int
    compute: ComputeSettings


class MakePartitions(CellStage):
    """One job per meta-trained cell; the learner's episodes set the minimum size of a class."""

    target = "partitions"
    folder = "partitions"
    results = ("summary.json",)
    optional = ("partitions.npy",)  # attribute pools are not stored
    main_result = "partitions.npy"
    work = ("settings.count",)

    def spec(self, config: "Config", wildcards: CellWildcards) -> MakePartitionsSpec:
        """Return the keys of one source, and the shape of the learner's episodes."""
        training = config.learners.resolve(wildcards.learner, wildcards.dataset, wildcards.source)
        source = Source.parse(wildcards.source)
        settings = config.partitions.of_source(source, wildcards.dataset)
        used = settings.read_by(source, wildcards.dataset) - RULES  # that of the learner follows
        keys = settings.model_dump(include=used) | {"variants": {}, "per_dataset": {}}
        return MakePartitionsSpec(
            **wildcards._asdict(),
            settings=PartitionSettings.model_validate(keys),
            acceptance=config.acceptance(wildcards.learner, settings, wildcards.dataset).of(
                settings.count_of(source)
            )
            if source.kind == "kmeans"
            else AcceptanceSettings(),
            way=training.way,
            shot=training.shot,
            query=training.query,
            compute=_compute_read(config.compute, settings, source),
        )

    def inputs(self, config: "Config", wildcards: CellWildcards) -> Iterator[Inputs]:
        """Yield the one array of the training split that the partitions are made from."""
        source = Source.parse(wildcards.source)
        match source.input:
            case "embeddings":
                cell = f"{wildcards.dataset}/{source.embedding}/s{wildcards.seed}"
                yield inputs_from("train_embedding", cell, "manifest.json", "train.npy")
            case kind:
                names = ("manifest.json", f"train_{kind}.npy")
                yield inputs_from("prepare_data", wildcards.dataset, *names)

    def modules(self, config: "Config", wildcards: CellWildcards) -> tuple[str, ...]:
        """Return scikit-learn's k-means, or the GPU's, unless the device is fixed to the CPU."""
        source = Source.parse(wildcards.source)
        settings = config.partitions.of_source(source, wildcards.dataset)
        if source.by_kmeans and settings.kmeans == "scikit-learn":
            return ("cactus.tasks.kmeans.scikit",)
        gpu = source.by_kmeans and config.compute.device != "cpu"
        return ("cactus.tasks.kmeans.gpu_points",) if gpu else ()

    def uses_gpu(self, wildcards: CellWildcards) -> bool:
        """Return whether k-means makes the partitions; nothing else here uses a GPU."""
        return Source.parse(wildcards.source).by_kmeans


def _compute_read(
    compute: ComputeSettings, settings: PartitionSettings, source: Source
) -> ComputeSettings:
    """Return the keys that the partitions of a source read: nothing but k-means uses a GPU."""
    on_gpu = source.by_kmeans and settings.kmeans == "lloyd"
    return compute if on_gpu else ComputeSettings(device="cpu", threads=compute.threads)


STAGE: Final = MakePartitions()
