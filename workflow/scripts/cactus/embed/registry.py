"""Embeddings by name, each imported only when needed."""

import importlib
from typing import cast

import torch

from cactus.config.sections.embeddings.section import AnyEmbedding, CustomEmbedding
from cactus.custom_code import EMBEDDING, custom_code
from cactus.embed.base import Embedding


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
    method, values = custom_code(EMBEDDING, name, settings.module, settings.settings)
    return cast(Embedding, method(values, image_shape, seed, device))
