"""Embeddings by name, each imported only when needed."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import torch
from pydantic import ValidationError

from cactus.config.sections.base import Settings
from cactus.config.sections.embeddings.section import AnyEmbedding, CustomEmbedding
from cactus.embed.base import Embedding
from cactus.errors import ConfigError


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
    module = _custom_module(name, settings.module)
    method, model = (_attribute(module, name, part) for part in ("Method", "Settings"))
    if not (isinstance(model, type) and issubclass(model, Settings)):
        raise ConfigError(
            "The class `Settings` of a custom embedding would ignore unknown keys.",
            where=f"embeddings.custom.{name}.module",
            got=f"{model!r} in {module.__file__}",
            fix="derive it from cactus.config.sections.base.Settings",
        )
    try:
        return method, model.model_validate(settings.settings)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            "A custom embedding rejects its settings.",
            where=f"embeddings.custom.{name}.settings.{key}",
            got=repr(first["input"]),
            fix=first["msg"],
        ) from error


def _custom_module(name: str, module: str) -> ModuleType:
    """Import a module by its dotted name or the path of its file."""
    try:
        if not module.endswith(".py"):
            return importlib.import_module(module)
        path = Path(module).resolve(strict=True)
        spec = importlib.util.spec_from_file_location(f"cactus_custom_{name}", path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is not a Python source file")
        sys.path.append(str(path.parent))  # it may import files beside it
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded
    except (ImportError, OSError) as error:
        raise ConfigError(
            "The module of a custom embedding cannot be imported.",
            where=f"embeddings.custom.{name}.module",
            got=f"{module!r}: {error}",
            fix="give a dotted name, or the path of a .py file from the folder you start in",
        ) from error


def _attribute(module: ModuleType, name: str, attribute: str) -> Any:
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        raise ConfigError(
            f"The module of a custom embedding has no class `{attribute}`.",
            where=f"embeddings.custom.{name}.module",
            got=str(module.__file__),
            fix=f"define `{attribute}` as docs/adding-an-embedding.md describes",
        ) from error
