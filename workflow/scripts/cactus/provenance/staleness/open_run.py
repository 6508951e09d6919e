"""Opens a run: finds its folder and its last configuration, and returns its planner."""

import json
import os
from pathlib import Path
from typing import Any, Final, Self

from pydantic import ValidationError

from cactus.config.load import parse_config, read_yaml
from cactus.config.models import Config
from cactus.config.sections.base import Settings, merge
from cactus.errors import DataError, RecordError, did_you_mean_or_known
from cactus.files import read_json, write_json
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.dependencies import Project
from cactus.provenance.fingerprint.hash_cache import HASHES_FILE, HashCache
from cactus.provenance.records.values import what_is_wrong
from cactus.provenance.staleness.planner import Planner
from cactus.stages.prepare_data import raw_access

PLANNED_CONFIG_FILE: Final = "plans/config.json"
# The Snakefile writes the run's folder as JSON to the file that this variable names.
RUN_FOLDER_FILE: Final = "CACTUS_RUN_FOLDER_FILE"
ROOT: Final = Path(__file__).resolve().parents[5]
_OWN_FILE: Final = "config/config.yaml"


class PlannedConfig(Settings):
    """The configuration that a run was last planned with, and where it came from.

    Attributes
    ----------
    configfiles
        Its files; later ones override earlier ones. Relative to `folder` if they are below it.
    overrides
        Keys given with ``--config``.
    config
        The result of merging all of them.
    folder
        The folder in which Snakemake ran, which held `results`.
    project
        The clone whose Snakefile ran, relative to `folder` if one of the two holds the other.
    """

    configfiles: list[str]
    overrides: dict[str, Any]
    config: dict[str, Any]
    folder: str = ""
    project: str = ""

    @classmethod
    def of(cls, workflow: Any, config: dict[str, Any]) -> Self:
        """Return that of a Snakefile which is being read, in the folder in which it runs."""
        here, given = Path.cwd(), workflow.config_settings
        # Snakemake reads the project's own file only if the working folder has it.
        own = [_OWN_FILE] if _OWN_FILE in map(str, workflow.configfiles) else []
        return cls(
            configfiles=[*own, *(_relative(Path(file), here) for file in given.configfiles)],
            overrides=dict(given.config),
            config=config,
            folder=str(here),
            project=_relative(ROOT, here),
        )

    def write(self, run_folder: Path) -> None:
        """Save this in the run's folder."""
        write_json(run_folder / PLANNED_CONFIG_FILE, self.model_dump(mode="json"))

    def base(self, run_folder: Path) -> Path:
        """Return the folder that relative paths of the configuration start from.

        It is the one that holds `results`, so that a run may move together with it; if that has
        none of the configuration's files, as when the run alone was copied, it is the recorded one.
        """
        parent = run_folder.absolute().parents[1]
        folders = [parent, *([Path(self.folder)] if self.folder else [])]
        return next(filter(self._has_files, folders), parent)

    def _has_files(self, folder: Path) -> bool:
        return all((folder / file).is_file() for file in self.configfiles)

    def root(self, base: Path) -> Path:
        """Return the clone whose code the run's jobs run, if it is still there, else this one."""
        root = base / self.project
        return root if self.project and (root / "Snakefile").is_file() else ROOT

    def load(self, base: Path) -> Config:
        """Read the configuration again; if a file is gone, return it as it was last planned."""
        if not self._has_files(base):
            return parse_config(self.config, "the configuration saved with the run")
        paths = [base / file for file in self.configfiles]
        values: dict[str, Any] = {}
        for path in paths:
            values = merge(values, read_yaml(path))
        return parse_config(merge(values, self.overrides), ", ".join(map(str, paths)))

    def arguments(self) -> list[str]:
        """Return the Snakemake options that give the same configuration."""
        files = [file for file in self.configfiles if file != _OWN_FILE]
        values = [f"{key}={json.dumps(value)}" for key, value in self.overrides.items()]
        return [
            *(["--configfile", *files] if files else []),
            *(["--config", *values] if values else []),
        ]


def _relative(path: Path, folder: Path) -> str:
    """Return a path relative to a folder if one of the two holds the other, else unchanged."""
    if path.is_relative_to(folder) or folder.is_relative_to(path):
        return os.path.relpath(path, folder)
    return str(path)


def open_planner(
    config: Config,
    run_folder: Path,
    root: Path = ROOT,
    cache: HashCache | None = None,
    base: Path = Path(),
) -> Planner:
    """Return the planner of a run.

    Parameters
    ----------
    root
        The clone whose code the jobs run.
    cache
        Cache of file hashes, if not the one saved in the run's folder.
    base
        The folder that relative paths of the configuration start from.
    """
    raw_dir = run_folder / "raw" if config.synthetic_data else base / raw_access(config).raw_dir
    cache = cache or HashCache.load(run_folder / HASHES_FILE)
    project = Project(root, SourceTree(root / "workflow" / "scripts", cache, base))
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
    planned = read_planned_config(folder)
    base = planned.base(folder)
    return open_planner(planned.load(base), folder, planned.root(base), cache, base)


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


def find_run_folder(run: str | None, results: Path = Path("results")) -> Path:
    """Return the folder of a run, given its name or path; None stands for the only run.

    Raises
    ------
    RecordError
        There is no such run, or no name is given and there is not exactly one run.
    """
    known = sorted(path.parents[1].name for path in results.glob(f"*/{PLANNED_CONFIG_FILE}"))
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
