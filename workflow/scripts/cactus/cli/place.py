"""Where a command works: the project around the current folder, and the run that is meant."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

# What shows that a folder is the project's, or one in which its workflow ran or will run.
_MARKS = ("Snakefile", "results/*/plans/config.json", "config/*.yaml")
# Arguments that may be the name of a run or its folder.
_RUNS = ("run", "run_option", "runs", "first", "second", "words")


def go_to_project(arguments: argparse.Namespace) -> None:
    """Change to the project's folder, if it is above this one, and keep paths meaning the same.

    If no run is named and there are several, the newest is chosen, and standard error says which.
    """
    here = _current_folder()
    root = next((one for one in (here, *here.parents) if _is_project(one)), here)
    if root != here:
        for name, value in vars(arguments).items():
            setattr(arguments, name, _moved(value, here, root, names=name in _RUNS))
        os.chdir(root)
        print(f"note: in {root}", file=sys.stderr)
    _refuse_a_run_for_a_cell(arguments)
    study = getattr(arguments, "configfile", None) or getattr(arguments, "config", None)
    if getattr(arguments, "run", "") is None and not study:
        arguments.run = _newest()


def _refuse_a_run_for_a_cell(arguments: argparse.Namespace) -> None:
    name = getattr(arguments, "cell", None)
    if name is None:
        return
    from cactus.provenance.staleness.run_folders import run_names

    if name in run_names():
        call = f"`cactus {arguments.command} CELL --run {name}`"
        arguments.parser.error(f"{name} is a run: name a cell of it, {call}")


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        from cactus.errors import StorageError

        raise StorageError(
            "The current folder is gone.",
            where=os.environ.get("PWD", "the shell"),
            got="a folder that was deleted or moved",
            fix="change to another folder, then run the command again",
        ) from error


def _is_project(folder: Path) -> bool:
    return any(any(folder.glob(mark)) for mark in _MARKS)


def _moved(value: Any, here: Path, root: Path, *, names: bool) -> Any:
    """Return an argument that was given in one folder as it reads in another above it."""
    if isinstance(value, list):
        return [_moved(one, here, root, names=names) for one in value]
    is_folder = names and isinstance(value, str) and (here / value / "plans").is_dir()
    if not (isinstance(value, Path) or is_folder):
        return value
    path = os.path.relpath(here / value, root)
    found = Path(value).absolute() if path.startswith(os.pardir) else Path(path)
    return found if isinstance(value, Path) else str(found)


def _newest() -> str | None:
    """Return the run that was planned last, and say so if there are others."""
    from cactus.provenance.staleness.run_folders import runs_by_time

    runs = runs_by_time()
    if len(runs) > 1:
        print(f"note: {runs[0]} is the newest of {len(runs)} runs", file=sys.stderr)
    return runs[0] if runs else None
