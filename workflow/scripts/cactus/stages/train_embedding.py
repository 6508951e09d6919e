"""Train an embedding without labels, and encode every split."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from cactus.config.sections.base import DatasetName
from cactus.config.sections.compute import ComputeSettings
from cactus.splits import SPLITS
from cactus.stages.base import EmbeddingStage, EmbeddingWildcards, Inputs, Spec, inputs_from

if TYPE_CHECKING:
    from cactus.config.models import Config


class TrainEmbeddingSpec(Spec):
    """Training of one embedding; the method validates its settings."""

    dataset: DatasetName
    embedding: str
    seed: int
    settings: dict[str, Any]
    compute: ComputeSettings


class TrainEmbedding(EmbeddingStage):
    """One job per embedding that a cell needs."""

    target = "embeddings"
    folder = "embeddings"
    results = (
        "manifest.json",
        *(f"{split}.npy" for split in SPLITS),
        "encoder.safetensors",
        "metrics.jsonl",
        "diagnostic.png",
    )
    gpu = True
    work = tuple(
        f"{section}.{key}"
        for section in ("settings", "settings.settings")  # the latter of one `like` another
        for key in ("iterations", "epochs", "decay_epochs")
    )
    main_result = "train.npy"

    def spec(self, config: "Config", wildcards: EmbeddingWildcards) -> TrainEmbeddingSpec:
        """Return the embedding's keys, resolved for the data set."""
        settings = config.embeddings.resolve(wildcards.embedding, wildcards.dataset)
        return TrainEmbeddingSpec(
            **wildcards._asdict(),
            settings=settings.model_dump(
                mode="json", exclude={"per_dataset", "title", "files", "vectors", "like"}
            ),
            compute=config.compute,
        )

    def inputs(self, config: "Config", wildcards: EmbeddingWildcards) -> Iterator[Inputs]:
        """Yield the images of all splits, and their names if ready-made vectors have such."""
        files = ["manifest.json", *(f"{split}_images.npy" for split in SPLITS)]
        custom = config.embeddings.custom.get(wildcards.embedding)
        if custom is not None and custom.reads_names(wildcards.dataset):
            files += [f"{split}_names.txt" for split in SPLITS]
        yield inputs_from("prepare_data", wildcards.dataset, *files)

    def modules(self, config: "Config", wildcards: EmbeddingWildcards) -> tuple[str, ...]:
        """Return the module of the embedding."""
        return (config.embeddings.module(wildcards.embedding, wildcards.dataset),)

    def declared_files(self, config: "Config", wildcards: EmbeddingWildcards) -> list[str]:
        """Return the data files that a custom embedding reads."""
        if wildcards.embedding not in config.embeddings.custom:
            return []
        return config.embeddings.custom[wildcards.embedding].resolve(wildcards.dataset).files


STAGE: Final = TrainEmbedding()
