"""Where a command works: the project around the current folder, and the run that is meant."""

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import Any

# What shows that a folder is the project's, or one in which its workflow ran or will run.
_MARKS = ("Snakefile", "results/*/plans/config.json", "config/*.yaml")
# Arguments that may be the name of a run or its folder, in the place of a cell by mistake.
_RUNS = ("run", "run_option", "runs", "first", "second", "words", "cell")
# Files that are read: those that are not here are looked up from the project's folder.
_READ = ("configfile", "file", "crate")


def go_to_project(arguments: argparse.Namespace) -> None:
    """Change to the project's folder, if it is above this one, and keep paths meaning the same.

    If no run is named, it is the one in whose folder this is, else the newest; standard error says
    which, unless there is only one. `here` of the arguments is the folder of the call, and
    `run_here` the run in it.
    """
    here = _current_folder()
    root = next((one for one in (here, *here.parents) if _is_project(one)), here)
    # Workflow catalogs look for `workflow/Snakefile`, which includes the one above it.
    root = root.parent if root.name == "workflow" and _is_project(root.parent) else root
    if root != here:
        for name, value in [*vars(arguments).items()]:
            setattr(arguments, name, _moved(value, here, root, name))
        os.chdir(root)
        print(f"note: in {root}", file=sys.stderr)
    arguments.here, arguments.run_here = here, _run_around(here, root)
    _take_option(arguments)
    _refuse_a_run_for_a_cell(arguments)
    _refuse_a_cell_for_a_run(arguments)
    study = getattr(arguments, "configfile", None) or getattr(arguments, "config", None)
    if getattr(arguments, "run", "") is None and not study:
        arguments.run = _default(arguments.run_here)


def _take_option(arguments: argparse.Namespace) -> None:
    """Take the run from its place or from ``--run``; both may name it."""
    named = getattr(arguments, "run_option", None)
    if named is None or not hasattr(arguments, "run"):
        return
    from cactus.provenance.staleness.run_folders import is_same_run

    if arguments.run is not None and not is_same_run(arguments.run, named):
        arguments.parser.error(f"two runs are named, {arguments.run} and {named}: name one")
    arguments.run = named


def _refuse_a_run_for_a_cell(arguments: argparse.Namespace) -> None:
    name = getattr(arguments, "cell", None)
    if name is None:
        return
    from cactus.provenance.staleness.run_folders import planned_folder

    if planned_folder(name):
        call = f"cactus {arguments.command} CELL --run {shlex.quote(name)}"
        arguments.parser.error(f"{name} is a run: name a cell of it, `{call}`")


def _refuse_a_cell_for_a_run(arguments: argparse.Namespace) -> None:
    given = [getattr(arguments, name, None) for name in ("run", "first", "second")]
    for name in (*given, *getattr(arguments, "runs", ())):
        if name and "/" in name and _is_cell(name):
            call = f"cactus show {shlex.quote(name)}"
            arguments.parser.error(f"{name} is a cell, not a run: `{call}` shows it")


def _is_cell(name: str) -> bool:
    """Return whether the newest run has a cell or job of a name that no run has."""
    from cactus.errors import CactusError
    from cactus.provenance.staleness.open_run import open_run
    from cactus.provenance.staleness.run_folders import planned_folder

    try:
        return planned_folder(name) is None and bool(open_run(None).graph.find(name))
    except CactusError:
        return False


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


def _run_around(here: Path, root: Path) -> str | None:
    """Return the run in whose folder this is, if any."""
    results = root / "results"
    names = here.relative_to(results).parts[:1] if here.is_relative_to(results) else ()
    return next((one for one in names if os.path.lexists(results / one / "plans")), None)


def _moved(value: Any, here: Path, root: Path, name: str) -> Any:
    """Return an argument that was given in one folder as it reads in another above it."""
    if isinstance(value, list):
        return [_moved(one, here, root, name) for one in value]
    if name in _READ and not os.path.lexists(here / value) and os.path.lexists(root / value):
        return value
    is_folder = name in _RUNS and isinstance(value, str) and (here / value / "plans").is_dir()
    if not (isinstance(value, Path) or is_folder):
        return value
    path = os.path.relpath(here / value, root)
    found = Path(value).absolute() if path.startswith(os.pardir) else Path(path)
    return found if isinstance(value, Path) else str(found)


def _default(run_here: str | None) -> str | None:
    """Return the run of this folder, or that which was planned last; say so if there are others."""
    from cactus.provenance.staleness.run_folders import note_what_is_no_run, runs_by_time

    note_what_is_no_run()
    runs = runs_by_time()
    if run_here and len(runs) > 1:
        print(f"note: {run_here} is the run of this folder", file=sys.stderr)
    elif len(runs) > 1:
        print(f"note: {runs[0]} is the newest of {len(runs)} runs", file=sys.stderr)
    return run_here or next(iter(runs), None)
