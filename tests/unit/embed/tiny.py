"""Settings of tiny embeddings."""

from typing import Any

from cactus.config.sections.embeddings.section import AnyEmbedding, EmbeddingSettings

TINY: dict[str, dict[str, Any]] = {
    "acai": {"working_size": 16, "depth": 2, "batch_size": 16, "iterations": 4},
    "bigan": {
        "working_size": 16,
        "raw_size": 18,
        "width": 4,
        "hidden": 16,
        "dims": 8,
        "batch_size": 16,
        "epochs": 1,
        "decay_epochs": 1,
    },
    "contrastive": {
        "working_size": 16,
        "filters": 4,
        "map_filters": 8,
        "widths": [4, 8],
        "hidden": 16,
        "projection": 8,
        "batch_size": 16,
        "iterations": 4,
    },
    "deepcluster": {
        "working_size": 28,
        "channels": [4, 8, 8, 8, 8],
        "hidden": 32,
        "dims": 8,
        "clusters": 6,
        "kmeans_iterations": 5,
        "batch_size": 16,
        "epochs": 2,
    },
    "infogan": {
        "working_size": 16,
        "width": 4,
        "hidden": 32,
        "recognition_hidden": 16,
        "batch_size": 16,
        "iterations": 4,
    },
}


def settings(name: str, dataset: Any = "mnist", **keys: Any) -> AnyEmbedding:
    """Return the settings of a tiny network, with some keys changed."""
    resolved = EmbeddingSettings().resolve(name, dataset)
    values = {**resolved.model_dump(), **TINY[name], **keys, "per_dataset": {}}
    return type(resolved).model_validate(values)
