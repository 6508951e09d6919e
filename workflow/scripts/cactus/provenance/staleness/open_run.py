"""Opens a run: finds its folder and its last configuration, and returns its planner."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from cactus.config.models import Config
from cactus.errors import ConfigError
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.dependencies import Project
from cactus.provenance.fingerprint.hash_cache import HASHES_FILE, HashCache
from cactus.provenance.staleness.custom_code import check_custom_code
from cactus.provenance.staleness.planned_config import (
    ROOT,
    PlannedConfig,
    read_planned_config,
    study_root,
)
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.run_folders import find_run_folder
from cactus.stages.prepare_data import raw_access

# The Snakefile writes the run's folder as JSON to the file that this variable names.
RUN_FOLDER_FILE: Final = "CACTUS_RUN_FOLDER_FILE"


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
        The run's name or folder; None for the newest.
    results
        Folder of all runs.
    cache
        Cache of file hashes, if not the one saved in the run's folder.

    Raises
    ------
    RecordError
        There is no such run, or none at all.
    ConfigError
        Its configuration is no longer valid.
    """
    folder = find_run_folder(run, results)
    planned = read_planned_config(folder)
    base = planned.base(folder)
    return open_planner(planned.load(base), folder, planned.root(base), cache, base)


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
        A file cannot be read, the configuration is not valid, or the code of a custom embedding,
        learner or data set cannot be run.
    """
    root = study_root()
    config = PlannedConfig.read(files, overrides, root).load(Path())
    folder = Path("results") / config.run
    cache = None if folder.is_dir() else HashCache(None)
    planner = open_planner(config, folder, root, cache)
    check_custom_code(config, planner.project.tree)
    return planner


def check_same_run(named: str | None, run: str) -> None:
    """Check that a run that is named beside a study is the study's own.

    Raises
    ------
    ConfigError
        It is another one.
    """
    if named and Path(named).name != run:
        raise ConfigError(
            "A run is named beside a study that is another run's.",
            where="the command line",
            got=f"{named}, and a study whose run is {run}",
            fix="name one of them; to try other keys on a run, give its own files by --configfile, "
            "then the keys by --config",
        )
