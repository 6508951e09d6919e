"""The folders of runs: which there are, and which one is meant."""

import os
import re
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from cactus.errors import CactusError, RecordError, did_you_mean_or_known, few
from cactus.files import read_json
from cactus.provenance.staleness.places import Obstruction, clearing, look_at, refuse, standing

PLANNED_CONFIG_FILE: Final = "plans/config.json"
# The way to a run's configuration, from the run's folder.
_WAY: Final[dict[str, Literal["file", "folder"]]] = {
    "": "folder",
    "plans": "folder",
    PLANNED_CONFIG_FILE: "file",
}
# A dry run writes the configuration again, if that is all that is lost.
_PLAN_AGAIN: Final = "run `snakemake --dry-run` with the configuration of the run"
_NO_RUN: Final = "lost+found"  # of some file systems, and closed
# Names with a dot are mostly those of files that a user keeps beside the runs.
_RUN_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")


def run_names(results: Path = Path("results")) -> list[str]:
    """Return the names of all runs that were planned, also of those that cannot be read.

    Raises
    ------
    RecordError
        The folder of all runs cannot be read.
    """
    refuse(standing([results]), _PLAN_AGAIN)
    return sorted(one.name for one in results.glob("*") if _is_run(one))


def _is_run(folder: Path) -> bool:
    try:
        if not stat.S_ISDIR(folder.stat().st_mode) or folder.name == _NO_RUN:
            return False
    except OSError:  # a link that leads nowhere
        return True
    return _blocking(folder) is not None or _is_planned(folder)


def _blocking(folder: Path) -> Obstruction | None:
    """Return what keeps the configuration of a run from being read, if it is not just missing."""
    for name, wanted in _WAY.items():
        path = folder / name
        if not os.path.lexists(path):
            return None
        if blocking := look_at(path, wanted):
            return blocking
    return None


def not_runs(results: Path = Path("results")) -> list[Obstruction]:
    """Return the files, pipes and the like that have the name of a run, without a dot."""
    names = {one.name for one in results.glob("*") if _RUN_NAME.fullmatch(one.name)}
    return standing(results / name for name in sorted(names - {*run_names(results)} - {_NO_RUN}))


def note_what_is_no_run(results: Path = Path("results")) -> None:
    """Print what may be in the place of a run, so that nobody takes another run for it."""
    for one in not_runs(results):
        print(f"note: {one}; {_way_out([one])}", file=sys.stderr)


def _way_out(found: Sequence[Obstruction]) -> str:
    return f"if a run's folder belongs there, `{clearing(found)}`, or move it away"


def runs_by_time(results: Path = Path("results")) -> list[str]:
    """Return the names of all runs: the one that was planned last first, and copies at the end."""

    def rank(name: str) -> tuple[bool, float]:
        return _has_another_name(results / name), -planned_at(results / name)

    return sorted(run_names(results), key=rank)


def _has_another_name(folder: Path) -> bool:
    """Return whether the configuration saved in a folder is of a run of another name: a copy's is.

    What keeps it from being read is told by whoever opens the run.
    """
    try:
        config = read_json(folder / PLANNED_CONFIG_FILE)["config"]
        return str(config.get("run", folder.name)) != folder.name
    except (CactusError, OSError, LookupError, TypeError, AttributeError):
        return False


def planned_at(folder: Path) -> float:
    """Return when a run was planned last, in seconds since 1970; 0 if that cannot be read."""
    try:
        return (folder / PLANNED_CONFIG_FILE).stat().st_mtime
    except OSError:
        return 0.0


def is_run_folder(folder: Path) -> bool:
    """Return whether a folder is that of a run that was planned.

    Raises
    ------
    RecordError
        Something keeps its configuration from being read.
    """
    if blocking := _blocking(folder):
        refuse([blocking], _PLAN_AGAIN)
    return _is_planned(folder)


def planned_folder(run: str, results: Path = Path("results")) -> Path | None:
    """Return the folder of a run, given its name or path; None if there is no such run."""
    places = (Path(run), results / run) if run else ()
    return next((one for one in places if _is_planned(one)), None)


def _is_planned(folder: Path) -> bool:
    try:
        return (folder / PLANNED_CONFIG_FILE).is_file()
    except OSError:  # a closed folder
        return False


def is_same_run(one: str, other: str, results: Path = Path("results")) -> bool:
    """Return whether two names or paths stand for one run."""
    first, second = planned_folder(one, results), planned_folder(other, results)
    return one == other or bool(first and second and first.samefile(second))


def find_run_folder(run: str | None, results: Path = Path("results")) -> Path:
    """Return the folder of a run, given its name or path; None stands for the newest.

    Raises
    ------
    RecordError
        There is no such run, or none at all, or something keeps it from being read.
    """
    named = next(iter(runs_by_time(results)), None) if run is None else run
    for folder in (Path(named), results / named) if named else ():
        inside = folder.absolute().parent == results.absolute()
        if inside:
            refuse(standing([results]), _PLAN_AGAIN)
        # Another file of that name, elsewhere, is not in the way of a run.
        if (inside or folder.is_dir()) and is_run_folder(folder):
            return folder
    lost = _without_configuration(named, results)
    if lost is not None:
        raise RecordError(
            "The configuration of a run is missing, so that nobody can tell what its jobs are.",
            where=str(lost / PLANNED_CONFIG_FILE),
            got="no such file, and records of its jobs",
            fix=f"{_PLAN_AGAIN}, its --configfile and --config: that writes it again",
        )
    start = "run the workflow first: `snakemake --cores 2`"
    if not Path("Snakefile").exists():  # a study of a module has one, too
        start = f"change to the folder of the project, or of your study; there, {start}"
    if run is None and (found := not_runs(results)):
        start = f"{_way_out(found)}; then run the workflow: `snakemake --cores 2`"
    raise RecordError(
        "There is no run yet." if run is None else "There is no such run.",
        where=str(results.absolute()),
        got=_left(results) if run is None else _found(run, results),
        fix=did_you_mean_or_known(
            Path(run or "").name,
            run_names(results),
            start,
        ),
    )


def _without_configuration(run: str | None, results: Path) -> Path | None:
    """Return the folder of a run that has records and no configuration; without a name, of any."""
    named = (Path(run), results / run) if run else ()
    places = sorted(results.glob("*")) if run is None else named
    # Of a closed folder, nobody can tell.
    return next((one for one in places if os.path.isdir(one / "records")), None)  # noqa: PTH112


def _left(results: Path) -> str:
    """Return that there is no run, with what may be in the place of one."""
    files = sorted(one.name for one in results.glob("[!.]*") if not one.is_dir())
    what = f", but {few(files)}, which {'is' if len(files) == 1 else 'are'} no folder"
    return f"no folder with {PLANNED_CONFIG_FILE}{what if files else ''}"


def _found(run: str, results: Path) -> str:
    """Return a name, with what there is instead of a run."""
    places = (Path(run), results / run) if run else ()
    there = next((one for one in places if one.is_dir()), None)
    if there:
        return f"{run}; the folder {there} has no {PLANNED_CONFIG_FILE}"
    return run or "an empty name"
