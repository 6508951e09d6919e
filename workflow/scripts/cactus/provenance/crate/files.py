"""The files of a crate: the project's code and the run's folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cactus.closed import files_below
from cactus.errors import RecordError
from cactus.provenance.fingerprint.hash_cache import HASHES_FILE
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.run_folders import PLANNED_CONFIG_FILE

METADATA: Final = "ro-crate-metadata.json"
WORKFLOW: Final = "Snakefile"
SCRIPTS: Final = "workflow/scripts"
# What is needed to run and understand the code; parts that the clone lacks are skipped.
_CODE: Final = (
    WORKFLOW,
    "rules",
    SCRIPTS,
    "workflow/report",
    "config",
    "envs",
    "pyproject.toml",
    "Makefile",
    "LICENSE",
    "README.md",
    "CITATION.cff",
)
# What only matters while a run is in use: running jobs, their drivers, and cached hashes.
_TRANSIENT: Final = ("states", "work", "drivers.jsonl", HASHES_FILE)
_BYTECODE: Final = ("__pycache__", ".egg-info")
_FORMATS: Final = {
    ".cff": "application/yaml",
    ".css": "text/css",
    ".csv": "text/csv",
    ".gz": "application/gzip",
    ".html": "text/html",
    ".jinja": "text/plain",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".lock": "text/plain",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".rst": "text/plain",
    ".smk": "text/plain",
    ".tex": "text/x-tex",
    ".toml": "application/toml",
    ".txt": "text/plain",
    ".in": "text/plain",
    ".yaml": "application/yaml",
    ".zip": "application/zip",
}
_TEXTS: Final = (WORKFLOW, "Makefile", "LICENSE")


def run_name(planner: Planner, name: str = "") -> str:
    """Return the name in the crate of a file in the run's folder."""
    return f"results/{planner.config.run}/{name}"


def config_name(planner: Planner) -> str:
    """Return the name in the crate of the run's configuration."""
    return run_name(planner, PLANNED_CONFIG_FILE)


def declared_name(name: str) -> str | None:
    """Return the name in the crate of a declared file; None if the crate does not carry it.

    It carries what a relative path names, unless that leads out of the folder of the project.
    """
    path = Path(name)
    outside = path.is_absolute() or ".." in path.parts or name.startswith("~")
    return None if outside else path.as_posix()


def crate_files(planner: Planner) -> dict[str, Path]:
    """Return the current path of each file of the crate, sorted by name in the crate.

    Raises
    ------
    RecordError
        A link in the run's folder leads to a file outside it that no record lists.
    """
    found = {
        path.relative_to(planner.project.root).as_posix(): path
        for part in _CODE
        for path in _below(planner.project.root / part)
    }
    recorded = {name for record in planner.records() for name in record.entities}
    for top in planner.run_folder.iterdir():
        if top.name not in _TRANSIENT and top.name[0] != ".":
            for path in _below(top):
                name = path.relative_to(planner.run_folder).as_posix()
                if path.is_symlink() and name not in recorded:
                    _check_link(path, top)
                found[run_name(planner, name)] = path
    for record in planner.records():
        for carried in filter(None, map(declared_name, record.plan.declared)):
            path = planner.project.tree.base / carried
            if path.is_file():
                found.setdefault(carried, path)
    return dict(sorted(found.items()))


def _check_link(path: Path, top: Path) -> None:
    if not path.resolve().is_relative_to(top.resolve()):
        raise RecordError(
            "A link in the run leads to a file elsewhere, which would be copied into the crate.",
            where=str(path),
            got=f"a link to {path.resolve()}",
            fix="remove the link, or put a copy of the file in its place",
        )


def _below(top: Path) -> Iterator[Path]:
    """Yield a file, or all files of a folder except hidden ones and bytecode."""
    for path in [top] if top.is_file() else files_below(top):
        parts = path.relative_to(top).parts
        skipped = any(part[0] == "." or part.endswith(_BYTECODE) for part in parts)
        if path.is_file() and not skipped:
            yield path


def encoding_format(name: str) -> str:
    """Return the media type of a file, given its name in the crate."""
    path = Path(name)
    if name in _TEXTS or path.parent.parent.name == "objects":
        return "text/plain"
    return _FORMATS.get(path.suffix, "application/octet-stream")
