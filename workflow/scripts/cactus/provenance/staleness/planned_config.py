"""The configuration that a run was last planned with, as it is saved in the run's folder."""

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import ValidationError

from cactus.config.command_line import COMMAND_LINE, parse_overrides, refuse_repeats
from cactus.config.layers import Layer, Layers
from cactus.config.load import checked, load_config, read_layers, stacked
from cactus.config.models import Config
from cactus.config.sections.base import Settings, merge
from cactus.config.sections.grid import GridSettings, idle_patterns
from cactus.config.yaml_file import parse_value
from cactus.errors import DataError, RecordError
from cactus.files import read_json, write_json
from cactus.provenance.records.values import what_is_wrong
from cactus.provenance.staleness.run_folders import PLANNED_CONFIG_FILE

ROOT: Final = Path(__file__).resolve().parents[5]
# The study that runs if none is named.
_DEFAULT_STUDY: Final = "config/config.yaml"
_SPLITS: Final = ("train", "val", "test")


class PlannedConfig(Settings):
    """The configuration that a run was last planned with, and where it came from.

    Attributes
    ----------
    configfiles
        Its files; later ones override earlier ones. Relative to `folder` if one of the two holds
        the other.
    overrides
        Keys given with ``--config``.
    config
        The result of merging all of them with the defaults.
    version
        1 if config.yaml, with all defaults, was the first file of every study.
    folder
        The folder in which Snakemake ran, which held `results`.
    project
        The clone whose Snakefile ran, relative to `folder` if one of the two holds the other.
    """

    configfiles: list[str]
    overrides: dict[str, Any]
    config: dict[str, Any]
    version: Literal[1, 2] = 1
    folder: str = ""
    project: str = ""

    @classmethod
    def read(cls, files: Sequence[Path], overrides: Iterable[str], root: Path) -> Self:
        """Read the configuration that Snakemake is started with.

        Parameters
        ----------
        files
            The arguments of ``--configfile``; without any, it is the paper's study.
        overrides
            The arguments of ``--config``.
        root
            The project's folder.

        Raises
        ------
        ConfigError
            It is not valid.
        """
        here, default = Path.cwd(), Path(_DEFAULT_STUDY)
        used = list(files) or [default if default.is_file() else root / default]
        names, values = [_relative(Path(file), here) for file in used], parse_overrides(overrides)
        config = load_config([Path(name) for name in names], values)
        return cls(
            configfiles=names,
            overrides=values,
            config=config.model_dump(mode="json"),
            version=2,
            folder=str(here),
            project=_relative(root, here),
        )

    def check_call(self, arguments: Sequence[str]) -> None:
        """Check how Snakemake was called; note what in the configuration has no effect.

        Raises
        ------
        ConfigError
            The call gives an option twice, of which Snakemake keeps the last.
        """
        refuse_repeats(arguments)
        for line in idle_patterns(GridSettings.model_validate(self.config["grid"])):
            print(f"note: {line}", file=sys.stderr)

    def write(self, run_folder: Path) -> None:
        """Save this in the run's folder."""
        write_json(run_folder / PLANNED_CONFIG_FILE, self.model_dump(mode="json"))

    def write_if_lost(self, run_folder: Path) -> None:
        """Save this if the run has lost its own: all that a dry run may change of a run."""
        if (run_folder / "records").is_dir():
            try:
                read_planned_config(run_folder)
            except RecordError:
                self.write(run_folder)

    def base(self, run_folder: Path) -> Path:
        """Return the folder that relative paths of the configuration start from.

        It is the one that holds `results`, so that a run may move together with it; if that has
        none of the configuration's files, as when the run alone was copied, it is the recorded one.
        """
        parent = run_folder.absolute().parents[1]
        folders = [parent, *([Path(self.folder)] if self.folder else [])]
        return next(filter(self._has_files, folders), parent)

    def root(self, base: Path) -> Path:
        """Return the clone whose code the run's jobs run, if it is still there, else this one."""
        root = base / self.project
        return root if self.project and (root / "Snakefile").is_file() else ROOT

    def load(self, base: Path) -> Config:
        """Read the configuration again; if a file is gone, return it as it was last planned."""
        return checked(self.layers(base))

    def layers(self, base: Path) -> Layers:
        """Read the layers of the configuration again, or the one that was last planned."""
        if self._has_files(base):
            paths = [Path(_below(base / file, Path.cwd())) for file in self._study]
            found = read_layers(paths, self._typed_overrides, name_by_file=self.version > 1)
        else:
            found = self.last_planned()
        base = base.absolute()
        return Layers(
            [one._replace(values=_with_one_name(one.values, base)) for one in found.layers]
        )

    def last_planned(self) -> Layers:
        """Return the configuration that was last planned, whose layers are merged."""
        values = merge(self.config, self._typed_overrides)
        return stacked([Layer("the configuration saved with the run", values)])

    def arguments(self) -> list[str]:
        """Return the Snakemake options that give the same configuration."""
        values = [f"{key}={json.dumps(value)}" for key, value in self.overrides.items()]
        return ["--configfile", *self._study, *(["--config", *values] if values else [])]

    def _has_files(self, folder: Path) -> bool:
        return all((folder / file).is_file() for file in self._study)

    @property
    def _typed_overrides(self) -> dict[str, Any]:
        """The keys given with ``--config``, as YAML reads them."""
        typed: dict[str, Any] = self.overrides if self.version > 1 else _with_types(self.overrides)
        return typed

    @property
    def _study(self) -> list[str]:
        """The files of the study."""
        return self.configfiles if self.version > 1 else self.configfiles[1:] or self.configfiles


def study_root() -> Path:
    """Return the clone whose Snakefile plans a study: the one here, if any, else this one."""
    here = Path.cwd()
    is_clone = (here / "Snakefile").is_file() and (here / "workflow/scripts/cactus").is_dir()
    return here if is_clone else ROOT


def _with_types(value: Any) -> Any:
    """Return nested values of ``--config`` as YAML reads them; Snakemake keeps them as text."""
    if isinstance(value, dict):
        return {key: _with_types(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_types(item) for item in value]
    return parse_value(value, COMMAND_LINE) if isinstance(value, str) else value


def _with_one_name(values: Any, base: Path, keys: tuple[str, ...] = ("",)) -> Any:
    """Return nested values with one name for each file of users: from the base on, if below.

    Another spelling of the same file must not make its jobs stale.
    """
    if isinstance(values, dict) and keys[-1] != "settings":
        return {key: _with_one_name(value, base, (*keys, key)) for key, value in values.items()}
    if isinstance(values, list) and keys[-1] == "files":
        return [_one_name(one, base) if isinstance(one, str) else one for one in values]
    return _one_name(values, base) if isinstance(values, str) and _is_file(keys, values) else values


def _is_file(keys: tuple[str, ...], value: str) -> bool:
    """Return whether the value of nested keys names a file of users' code or vectors."""
    own_code = keys[-1] == "module" and value.endswith(".py")
    return own_code or (keys[-1] in _SPLITS and "vectors" in keys[-3:-1])


def _one_name(name: str, base: Path) -> str:
    """Return the name of a file, a folder or a pattern without detours."""
    if name.startswith("~") or not name.strip():
        return name
    with suppress(ValueError):  # no file can have that name, as another check says
        given = base / re.sub("^/+", "/", name)
        path = Path(os.path.normpath(given))
        if os.path.realpath(path) != os.path.realpath(given):  # `..` behind a link
            return name
        bases = (one for one in path.parents if os.path.exists(one) and one.samefile(base))  # noqa: PTH110  no error if it is closed
        found = next(bases, None)
        return str(path.relative_to(found)) if found else os.path.normpath(name)
    return name


def _relative(path: Path, folder: Path) -> str:
    """Return a path relative to a folder if one of the two holds the other, else unchanged."""
    if path.is_relative_to(folder) or folder.is_relative_to(path):
        return os.path.relpath(path, folder)
    return str(path)


def _below(path: Path, folder: Path) -> str:
    """Return a path relative to a folder if it is below it, else unchanged."""
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def read_planned_config(folder: Path) -> PlannedConfig:
    """Return the configuration that a run was last planned with.

    Raises
    ------
    RecordError
        The file that holds it is damaged.
    """
    try:
        return PlannedConfig.model_validate(read_json(folder / PLANNED_CONFIG_FILE))
    except (DataError, ValidationError) as error:
        raise RecordError(
            "The configuration saved with a run cannot be read.",
            where=str(folder / PLANNED_CONFIG_FILE),
            got=error.got if isinstance(error, DataError) else what_is_wrong(error),
            fix="run `snakemake --dry-run` with the run's configuration to write it again",
        ) from error
