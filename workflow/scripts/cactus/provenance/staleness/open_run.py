"""A run: its folder, the configuration that it was last planned with, and its planner."""

import json
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from cactus.config.base import Settings, merge
from cactus.config.load import parse_config, read_yaml
from cactus.config.models import Config
from cactus.errors import DataError, RecordError, did_you_mean_or_known
from cactus.files import read_json, write_json
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.dependencies import Project
from cactus.provenance.fingerprint.hash_cache import HASHES_FILE, HashCache
from cactus.provenance.records.run_reader import RunReader
from cactus.provenance.staleness.planner import Planner
from cactus.stages.prepare_data import raw_access

PLANNED_CONFIG_FILE: Final = "plans/config.json"
# The Snakefile writes the run's folder, as JSON, to the file that this variable names.
RUN_FOLDER_FILE: Final = "CACTUS_RUN_FOLDER_FILE"
ROOT: Final = Path(__file__).resolve().parents[5]


class PlannedConfig(Settings):
    """Where the configuration of a run came from when it was last planned.

    Attributes
    ----------
    configfiles
        Its files, the later overriding the earlier; relative to the folder that holds `results`
        where they lie below it.
    overrides
        Keys given by ``--config``.
    config
        All that together.
    """

    configfiles: list[str]
    overrides: dict[str, Any]
    config: dict[str, Any]

    def write(self, run_folder: Path) -> None:
        """Keep this with the run."""
        write_json(run_folder / PLANNED_CONFIG_FILE, self.model_dump(mode="json"))

    def load(self, base: Path) -> Config:
        """Read the configuration anew; where a file is gone, as it was last planned.

        Parameters
        ----------
        base
            The folder that holds `results`.
        """
        paths = [base / file for file in self.configfiles]
        if not all(path.is_file() for path in paths):
            return parse_config(self.config, "the configuration kept with the run")
        values: dict[str, Any] = {}
        for path in paths:
            values = merge(values, read_yaml(path))
        return parse_config(merge(values, self.overrides), ", ".join(map(str, paths)))

    def arguments(self) -> list[str]:
        """Return the options that give Snakemake the same configuration."""
        files, pairs = self.configfiles[1:], self.overrides.items()
        values = [f"{key}={json.dumps(value)}" for key, value in pairs]
        return [
            *(["--configfile", *files] if files else []),
            *(["--config", *values] if values else []),
        ]


def open_planner(
    config: Config, run_folder: Path, root: Path = ROOT, cache: HashCache | None = None
) -> Planner:
    """Return the planner of a run; without a cache, with the hashes remembered in its folder."""
    access = raw_access(config)
    raw_dir = run_folder / "raw" if config.sample_data else Path(access.raw_dir)
    cache = cache or HashCache.load(run_folder / HASHES_FILE)
    project = Project(root, SourceTree(root / "workflow" / "scripts", cache))
    return Planner(RunReader(config, run_folder), project, raw_dir)


def open_run(
    run: str | None, results: Path = Path("results"), cache: HashCache | None = None
) -> Planner:
    """Return the planner of an existing run, with its configuration as it is now.

    Parameters
    ----------
    run
        The run's name or folder; None for the only run that there is.
    results
        Folder of all runs.
    cache
        Remembered hashes, if not those of the run's folder.

    Raises
    ------
    RecordError
        There is no such run, or several where none is named.
    ConfigError
        Its configuration is not valid any more.
    """
    folder = find_run_folder(run, results)
    config = read_planned_config(folder).load(folder.absolute().parents[1])
    return open_planner(config, folder, cache=cache)


def read_planned_config(folder: Path) -> PlannedConfig:
    """Return where the configuration of a run came from.

    Raises
    ------
    RecordError
        The file that says so is damaged.
    """
    try:
        return PlannedConfig.model_validate(read_json(folder / PLANNED_CONFIG_FILE))
    except (DataError, ValidationError) as error:
        raise RecordError(
            "The configuration kept with a run cannot be read.",
            where=str(folder / PLANNED_CONFIG_FILE),
            got=error.got if isinstance(error, DataError) else str(error.errors()[0]["msg"]),
            fix="run `snakemake --dry-run` with the run's configuration: it is written anew",
        ) from error


def relative_to_cwd(path: Path) -> str:
    """Return a path as it is seen from the working folder, if it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def find_run_folder(run: str | None, results: Path = Path("results")) -> Path:
    """Return the folder of a run by its name or path; None for the only run that there is.

    Raises
    ------
    RecordError
        There is no such run, or several where none is named.
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
