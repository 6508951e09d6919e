"""Code of users: what a module of theirs defines, and its settings."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from cactus.config.sections.base import Settings
from cactus.errors import ConfigError
from cactus.source_loader import SourceLoader


class CustomKind(NamedTuple):
    """What users add by a file of their own."""

    what: str  # as errors name it
    section: str  # of the configuration
    defines: str  # the class or function of the file, beside `Settings`
    guide: str  # page that describes it


EMBEDDING: Final = CustomKind(
    "a custom embedding", "embeddings.custom", "Method", "docs/adding-an-embedding.md"
)
DATASET: Final = CustomKind("a custom data set", "data.custom", "read", "docs/adding-a-dataset.md")
LEARNER: Final = CustomKind(
    "a custom learner", "learners.custom", "Learner", "docs/adding-a-learner.md"
)


def custom_code(kind: CustomKind, name: str, module: str, values: dict[str, Any]) -> Any:
    """Import a module of users; return its class or function and, validated, the settings of it.

    Parameters
    ----------
    kind
        What the module adds.
    name
        Its name in the configuration.
    module
        A dotted name, or the path of a file.
    values
        The keys of the module's `Settings`.

    Raises
    ------
    ConfigError
        The module cannot be imported, lacks a name, or rejects the values.
    """
    loaded = _imported(kind, name, module)
    made, model = (_attribute(loaded, kind, name, one) for one in (kind.defines, "Settings"))
    if not (isinstance(model, type) and issubclass(model, Settings)):
        raise ConfigError(
            f"The class `Settings` of {kind.what} would ignore unknown keys.",
            where=f"{kind.section}.{name}.module",
            got=f"{model!r} in {loaded.__file__}",
            fix="derive it from cactus.config.sections.base.Settings",
        )
    try:
        return made, model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{kind.what.capitalize()} rejects its settings.",
            where=f"{kind.section}.{name}.settings.{key}",
            got=repr(first["input"]),
            fix=first["msg"],
        ) from error


def _imported(kind: CustomKind, name: str, module: str) -> ModuleType:
    """Import a module by its dotted name or the path of its file."""
    try:
        if not module.endswith(".py"):
            return importlib.import_module(module)
        path, title = Path(module).resolve(strict=True), f"cactus_custom_{name}"
        spec = importlib.util.spec_from_file_location(
            title, path, loader=SourceLoader(title, str(path))
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is not a Python source file")
        sys.path.append(str(path.parent))  # it may import files beside it
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded
    except (ImportError, OSError) as error:
        raise ConfigError(
            f"The module of {kind.what} cannot be imported.",
            where=f"{kind.section}.{name}.module",
            got=f"{module!r}: {error}",
            fix="give a dotted name, or the path of a .py file from the folder you start in",
        ) from error


def _attribute(module: ModuleType, kind: CustomKind, name: str, attribute: str) -> Any:
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        raise ConfigError(
            f"The module of {kind.what} has no {kind_of(attribute)} `{attribute}`.",
            where=f"{kind.section}.{name}.module",
            got=str(module.__file__),
            fix=f"define `{attribute}` as {kind.guide} describes",
        ) from error


def kind_of(name: str) -> str:
    """Return what a name stands for in a module: classes are written with a capital."""
    return "class" if name[0].isupper() else "function"
