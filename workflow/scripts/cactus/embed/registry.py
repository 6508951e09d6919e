"""Embeddings by name, each imported only when needed."""

import importlib
from collections.abc import Mapping
from typing import Any, cast

import torch

from cactus.config.sections.base import DatasetSettings, names_a_module
from cactus.config.sections.embeddings.base import OwnCode
from cactus.custom_code import EMBEDDING, custom_code
from cactus.embed.base import Embedding


def parse(name: str, values: Mapping[str, Any]) -> DatasetSettings:
    """Return the settings of an embedding from the values that a plan has of them."""
    own = {**values, "per_dataset": {}}
    if names_a_module(values):
        return OwnCode.model_validate(own)
    module = importlib.import_module(f"cactus.embed.{name}")
    return cast(DatasetSettings, module.Settings.model_validate(own))


def build(
    name: str,
    settings: DatasetSettings,
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
        Resolved for the data set; an `OwnCode` names the module that is imported.
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
    if not isinstance(settings, OwnCode):
        module = importlib.import_module(f"cactus.embed.{name}")
        return cast(Embedding, module.Method(settings, image_shape, seed, device))
    method, values = custom_code(EMBEDDING, name, settings.module, settings.settings)
    return cast(Embedding, method(values, image_shape, seed, device))
