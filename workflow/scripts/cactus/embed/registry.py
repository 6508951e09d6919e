"""Embeddings by name, each imported only when needed."""

import importlib
from typing import Any, cast

import torch

from cactus.config.sections.embeddings.section import AnyEmbedding, CustomEmbedding
from cactus.embed.base import Embedding
from cactus.own_code import OwnCode


def build(
    name: str,
    settings: AnyEmbedding,
    image_shape: tuple[int, int, int],
    seed: int,
    device: torch.device,
) -> Embedding:
    """Return an untrained embedding.

    Parameters
    ----------
    name
        Name of a method of this package or of a custom one.
    settings
        Resolved for the data set; a `CustomEmbedding` names the module that is imported.
    image_shape
        Height, width and channels of the images.
    seed
        Seed of the training.
    device
        Device to train on.

    Raises
    ------
    ConfigError
        The module cannot be imported, lacks a class, or rejects its settings.
    """
    if not isinstance(settings, CustomEmbedding):
        module = importlib.import_module(f"cactus.embed.{name}")
        return cast(Embedding, module.Method(settings, image_shape, seed, device))
    method, values = _custom_method(name, settings)
    return cast(Embedding, method(values, image_shape, seed, device))


def _custom_method(name: str, settings: CustomEmbedding) -> tuple[Any, Any]:
    """Return the class `Method` of a custom embedding and its validated settings."""
    code = OwnCode(
        name,
        settings.module,
        "embeddings.custom",
        "custom embedding",
        "docs/adding-an-embedding.md",
    )
    module = code.load()
    return code.attribute(module, "Method"), code.settings(module, settings.settings)
