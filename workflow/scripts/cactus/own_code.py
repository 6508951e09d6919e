"""Modules of one's own that the configuration names, imported by a job."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from pydantic import ValidationError

from cactus.config.sections.base import Settings
from cactus.errors import ConfigError


class OwnCode(NamedTuple):
    """A module of one's own.

    Attributes
    ----------
    name
        Its entry's name in the configuration.
    module
        A dotted name, or the path of a .py file.
    section
        The section of the entry, e.g. ``embeddings.custom``.
    what
        What it is, e.g. ``custom embedding``.
    guide
        The page that describes it.
    """

    name: str
    module: str
    section: str
    what: str
    guide: str

    @property
    def where(self) -> str:
        """The key of the entry."""
        return f"{self.section}.{self.name}"

    def load(self) -> ModuleType:
        """Import the module.

        Raises
        ------
        ConfigError
            It cannot be imported.
        """
        try:
            if not self.module.endswith(".py"):
                return importlib.import_module(self.module)
            path = Path(self.module).resolve(strict=True)
            spec = importlib.util.spec_from_file_location(f"cactus_custom_{self.name}", path)
            if spec is None or spec.loader is None:
                raise ImportError(f"{path} is not a Python source file")
            sys.path.append(str(path.parent))  # it may import files beside it
            loaded = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(loaded)
            return loaded
        except (ImportError, OSError) as error:
            raise ConfigError(
                f"The module of a {self.what} cannot be imported.",
                where=f"{self.where}.module",
                got=f"{self.module!r}: {error}",
                fix="give a dotted name, or the path of a .py file from the folder you start in",
            ) from error

    def attribute(self, loaded: ModuleType, attribute: str) -> Any:
        """Return a class or function of the imported module; a ConfigError if there is none."""
        try:
            return getattr(loaded, attribute)
        except AttributeError as error:
            raise ConfigError(
                f"The module of a {self.what} has no {kind_of(attribute)} `{attribute}`.",
                where=f"{self.where}.module",
                got=str(loaded.__file__),
                fix=f"define `{attribute}` as {self.guide} describes",
            ) from error

    def settings(self, loaded: ModuleType, values: dict[str, Any]) -> Settings:
        """Return the values of its keys, checked by the module's class `Settings`.

        Raises
        ------
        ConfigError
            There is no such class, or it rejects a value.
        """
        model = self.attribute(loaded, "Settings")
        if not (isinstance(model, type) and issubclass(model, Settings)):
            raise ConfigError(
                f"The class `Settings` of a {self.what} would ignore unknown keys.",
                where=f"{self.where}.module",
                got=f"{model!r} in {loaded.__file__}",
                fix="derive it from cactus.config.sections.base.Settings",
            )
        try:
            return model.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ConfigError(
                f"A {self.what} rejects its settings.",
                where=f"{self.where}.settings.{key}",
                got=repr(first["input"]),
                fix=first["msg"],
            ) from error


def kind_of(name: str) -> str:
    """Return what a name stands for in a module: classes are written with a capital."""
    return "class" if name[0].isupper() else "function"
