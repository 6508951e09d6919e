"""Train an embedding without labels, and encode every split."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from cactus.config.sections.base import DatasetName
from cactus.config.sections.compute import ComputeSettings
from cactus.splits import SPLITS
from cactus.stages.base import EmbeddingKey, Reads, Spec, Stage, results_of

if TYPE_CHECKING:
    from cactus.config.models import Config


class TrainEmbeddingSpec(Spec):
    """Training of one embedding; its method validates the settings."""

    dataset: DatasetName
    embedding: str
    seed: int
    settings: dict[str, Any]
    compute: ComputeSettings


class TrainEmbedding(Stage[EmbeddingKey]):
    """One job per embedding that some cell needs."""

    key = EmbeddingKey
    target = "embeddings"
    folder = "embeddings"
    results = (
        "manifest.json",
        *(f"{split}.npy" for split in SPLITS),
        "encoder.safetensors",
        "metrics.jsonl",
        "diagnostic.png",
    )
    main_result = "train.npy"

    def keys(self, config: "Config") -> Iterator[EmbeddingKey]:
        """Return data set, embedding and seed of each."""
        return (EmbeddingKey(*run) for run in config.expanded_grid.embedding_runs)

    def spec(self, config: "Config", key: EmbeddingKey) -> TrainEmbeddingSpec:
        """Return the keys of one embedding as they hold for the data set."""
        settings = config.embeddings.resolve(key.embedding, key.dataset)
        return TrainEmbeddingSpec(
            dataset=key.dataset,
            embedding=key.embedding,
            seed=key.seed,
            settings=settings.model_dump(mode="json", exclude={"per_dataset"}),
            compute=config.compute,
        )

    def reads(self, config: "Config", key: EmbeddingKey) -> Iterator[Reads]:
        """Yield the images of all splits."""
        images = (f"{split}_images.npy" for split in SPLITS)
        yield results_of("prepare_data", key.dataset, "manifest.json", *images)

    def modules(self, config: "Config", key: EmbeddingKey) -> tuple[str, ...]:
        """Return the module of the embedding."""
        custom = config.embeddings.custom.get(key.embedding)
        return (custom.module if custom else f"cactus.embed.{key.embedding}",)

    def uses_gpu(self, key: EmbeddingKey) -> bool:
        """Return that every embedding trains on a GPU."""
        return True


STAGE: Final = TrainEmbedding()
