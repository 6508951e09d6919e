"""Opens a run: finds its folder and its last configuration, and returns its planner."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import ValidationError

from cactus.config.command_line import COMMAND_LINE, parse_overrides
from cactus.config.layers import Layer, Layers
from cactus.config.load import checked, load_config, read_layers, stacked
from cactus.config.models import Config
from cactus.config.sections.base import Settings, merge
from cactus.config.yaml_file import parse_value
from cactus.errors import DataError, RecordError, did_you_mean_or_known
from cactus.files import read_json, write_json
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.dependencies import Project
from cactus.provenance.fingerprint.hash_cache import HASHES_FILE, HashCache
from cactus.provenance.staleness.planner import Planner
from cactus.stages.prepare_data import raw_access

# The study that runs if none is named.
DEFAULT_STUDY: Final = "config/config.yaml"
PLANNED_CONFIG_FILE: Final = "plans/config.json"
# The Snakefile writes the run's folder as JSON to the file that this variable names.
RUN_FOLDER_FILE: Final = "CACTUS_RUN_FOLDER_FILE"
ROOT: Final = Path(__file__).resolve().parents[5]


class PlannedConfig(Settings):
    """The configuration that a run was last planned with, and where it came from.

    Attributes
    ----------
    configfiles
        Its files; later ones override earlier ones. Relative to the folder that holds `results` if
        they are below it.
    overrides
        Keys given with ``--config``.
    config
        The result of merging all of them with the defaults.
    version
        1 if config.yaml, with all defaults, was the first file of every study.
    """

    configfiles: list[str]
    overrides: dict[str, Any]
    config: dict[str, Any]
    version: Literal[1, 2] = 1

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
        default = Path(DEFAULT_STUDY)
        used = list(files) or [default if default.is_file() else root / default]
        names, values = [relative_to_cwd(file) for file in used], parse_overrides(overrides)
        config = load_config([Path(name) for name in names], values)
        return cls(
            configfiles=names, overrides=values, config=config.model_dump(mode="json"), version=2
        )

    def write(self, run_folder: Path) -> None:
        """Save this in the run's folder."""
        write_json(run_folder / PLANNED_CONFIG_FILE, self.model_dump(mode="json"))

    def load(self, base: Path) -> Config:
        """Read the configuration again; if a file is gone, return it as it was last planned.

        Parameters
        ----------
        base
            The folder that holds `results`.
        """
        return checked(self.layers(base))

    def layers(self, base: Path) -> Layers:
        """Read the layers of the configuration again, or the one that was last planned."""
        paths = [Path(relative_to_cwd(base / file)) for file in self._study]
        if not all(path.is_file() for path in paths):
            return self.last_planned()
        return read_layers(paths, self._typed_overrides, name_by_file=self.version > 1)

    def last_planned(self) -> Layers:
        """Return the configuration that was last planned, whose layers are merged."""
        values = merge(self.config, self._typed_overrides)
        return stacked([Layer("the configuration saved with the run", values)])

    def arguments(self) -> list[str]:
        """Return the Snakemake options that give the same configuration."""
        values = [f"{key}={json.dumps(value)}" for key, value in self.overrides.items()]
        return [
            *["--configfile", *self._study],
            *(["--config", *values] if values else []),
        ]

    @property
    def _typed_overrides(self) -> dict[str, Any]:
        """The keys given with ``--config``, as YAML reads them."""
        typed: dict[str, Any] = self.overrides if self.version > 1 else _with_types(self.overrides)
        return typed

    @property
    def _study(self) -> list[str]:
        """The files of the study."""
        return self.configfiles if self.version > 1 else self.configfiles[1:] or self.configfiles


def _with_types(value: Any) -> Any:
    """Return nested values of ``--config`` as YAML reads them; Snakemake keeps them as text."""
    if isinstance(value, dict):
        return {key: _with_types(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_types(item) for item in value]
    return parse_value(value, COMMAND_LINE) if isinstance(value, str) else value


def open_planner(
    config: Config, run_folder: Path, root: Path = ROOT, cache: HashCache | None = None
) -> Planner:
    """Return the planner of a run; without a cache given, use the one saved in its folder."""
    access = raw_access(config)
    raw_dir = run_folder / "raw" if config.synthetic_data else Path(access.raw_dir)
    cache = cache or HashCache.load(run_folder / HASHES_FILE)
    project = Project(root, SourceTree(root / "workflow" / "scripts", cache))
    return Planner(config, run_folder, project, raw_dir)


def open_run(
    run: str | None, results: Path = Path("results"), cache: HashCache | None = None
) -> Planner:
    """Return the planner of an existing run, with its current configuration.

    Parameters
    ----------
    run
        The run's name or folder; None for the only run.
    results
        Folder of all runs.
    cache
        Cache of file hashes, if not the one saved in the run's folder.

    Raises
    ------
    RecordError
        There is no such run, or no name is given and there is not exactly one run.
    ConfigError
        Its configuration is no longer valid.
    """
    folder = find_run_folder(run, results)
    config = read_planned_config(folder).load(folder.absolute().parents[1])
    return open_planner(config, folder, cache=cache)


def open_study(files: Sequence[Path], overrides: Iterable[str]) -> Planner:
    """Return the planner of a study that may never have run; nothing is written.

    Parameters
    ----------
    files
        Its configuration files; later ones override earlier ones. Without any, it is the paper's.
    overrides
        Keys that override those of the files, as ``KEY=VALUE``.

    Raises
    ------
    ConfigError
        A file cannot be read, or the configuration is not valid.
    """
    config = PlannedConfig.read(files, overrides, ROOT).load(Path())
    folder = Path("results") / config.run
    return open_planner(config, folder, cache=None if folder.is_dir() else HashCache(None))


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
            got=error.got if isinstance(error, DataError) else str(error.errors()[0]["msg"]),
            fix="run `snakemake --dry-run` with the run's configuration to write it again",
        ) from error


def relative_to_cwd(path: Path) -> str:
    """Return a path relative to the working directory if it is below it, else unchanged."""
    cwd = Path.cwd()
    return str(path.relative_to(cwd) if path.is_relative_to(cwd) else path)


def run_names(results: Path = Path("results")) -> list[str]:
    """Return the names of all runs that were planned."""
    return sorted(path.parents[1].name for path in results.glob(f"*/{PLANNED_CONFIG_FILE}"))


def find_run_folder(run: str | None, results: Path = Path("results")) -> Path:
    """Return the folder of a run, given its name or path; None stands for the only run.

    Raises
    ------
    RecordError
        There is no such run, or no name is given and there is not exactly one run.
    """
    known = run_names(results)
    if run is None and len(known) == 1:
        return results / known[0]
    for folder in (Path(run), results / run) if run else ():
        if (folder / PLANNED_CONFIG_FILE).is_file():
            return folder
    raise RecordError(
        "There is no such run." if run else "Name the run.",
        where=str(results.absolute()),
        got=run or f"{len(known)} runs",
        fix=did_you_mean_or_known(
            run or "", known, "run the workflow first: `snakemake --cores 2`"
        ),
    )
