"""``cactus clean``: what no run needs. It is listed, and deleted if the user says so.

Nothing that a record, an audit, a checkpoint to resume from or another run may need is on the list:
results, records, logs of jobs, stored sources that a record names, backups of finished jobs.
"""

import argparse
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from cactus.cli.text import columns, print_json, size
from cactus.closed import files_below
from cactus.errors import StorageError, counted
from cactus.provenance.execution.backups import BACKUP
from cactus.provenance.execution.lease import LEASE_FILE, held_folders
from cactus.provenance.execution.running_job import ATTEMPT_PREFIX
from cactus.provenance.records.objects import object_path
from cactus.provenance.staleness.obstructions import refuse_obstructions
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job

_CHECKPOINTS: Final = "checkpoints"
_LOCKS: Final = Path(".snakemake/locks")
_CALLS: Final = Path(".snakemake/log")
# Folders of a run in which hidden files are no drafts.
_OTHERS: Final = ("work", "raw")
# A draft that is younger may be another process's, which is writing it.
_OLD_SECONDS: Final = 3600.0


class Leftover(NamedTuple):
    """Files or folders that can go, and why."""

    why: str
    paths: tuple[Path, ...]
    bytes: int

    @property
    def where(self) -> str:
        """The first of its paths, and how many more there are."""
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.paths[0]}{more}"


def clean_run(arguments: argparse.Namespace) -> int:
    """List what no run needs; delete it with ``--yes``."""
    planner = open_run(arguments.run)
    refuse_obstructions(planner)  # a name in a record that cannot be read would not count
    if busy := _at_work(planner.run_folder):
        return _left_alone(arguments, planner, busy)
    found = list(leftovers(planner))
    planner.project.tree.cache.save()
    if arguments.yes:
        for path in (path for one in found for path in one.paths):
            _delete(path)
        _drop_empty(planner.run_folder / "work")
    if arguments.json:
        facts = [{**one._asdict(), "paths": [*map(str, one.paths)]} for one in found]
        print_json({"run": planner.run_folder.name, "deleted": arguments.yes, "leftovers": facts})
        return 0
    if found:
        rows = [(one.why, size(one.bytes), one.where) for one in found]
        print(columns([("what", "size", "where"), *rows]) + "\n")
    total = f"{counted(len(found), 'leftover')}, {size(sum(one.bytes for one in found))}"
    end = "deleted" if arguments.yes else "nothing is deleted without --yes"
    print(f"{planner.run_folder.name}: " + (f"{total}: {end}" if found else "nothing to clean"))
    return 0


def _left_alone(arguments: argparse.Namespace, planner: Planner, busy: str) -> int:
    if arguments.json:
        print_json(
            {"run": planner.run_folder.name, "deleted": False, "busy": busy, "leftovers": []}
        )
    else:
        print(f"{planner.run_folder.name} is left alone: {busy}")
    return 1


def _at_work(run_folder: Path) -> str:
    """Return what works on a run, or may do so; nothing if it rests."""
    work = run_folder / "work"
    running = [one.relative_to(work).as_posix() for one in held_folders(work)]
    if running:
        return f"{running[0]} is running" + (f", and {len(running) - 1} more" * (len(running) > 1))
    locks = _base(run_folder) / _LOCKS
    if any(locks.glob("*")):
        return (
            f"Snakemake holds locks in {locks}; if none is running any more, remove them with "
            "`snakemake --unlock`"
        )
    return ""


def leftovers(planner: Planner) -> Iterator[Leftover]:
    """Yield what no run needs of a run at which nobody works."""
    yield from _work(planner)
    yield from _drafts(planner.run_folder)
    yield from _unused_objects(planner)
    calls = sorted((_base(planner.run_folder) / _CALLS).glob("*"))[:-1]
    if calls:
        yield _leftover("logs of Snakemake's earlier calls", *calls)


def _work(planner: Planner) -> Iterator[Leftover]:
    """Yield unfinished results of attempts, leases of dead processes, and unusable checkpoints."""
    work = planner.run_folder / "work"
    names = {job.name: job for job in planner.graph.jobs}
    for path in sorted(files_below(work)):
        inner = path.relative_to(work)
        above = {BACKUP, _CHECKPOINTS} & {*inner.parts[:-1]}
        if above or any(part.startswith(ATTEMPT_PREFIX) for part in inner.parts[:-1]):
            continue
        if path.name.startswith(ATTEMPT_PREFIX) and path.is_dir():
            yield _leftover("unfinished results of an attempt that ended", path)
        elif path.name == _CHECKPOINTS and path.is_dir():
            job = names.get(inner.parent.as_posix())
            if job is not None and (why := _idle(planner, job)):
                yield _leftover(why, path)
        elif path.name.startswith((f".{LEASE_FILE}.", ".link-test-")):
            yield _leftover("draft of a lock", path)


def _idle(planner: Planner, job: Job) -> str:
    """Return why no run resumes from the checkpoints of a job; nothing if one may."""
    assessment = planner.assess(job)
    return "" if assessment.reasons else "checkpoints of a finished job"


def _drafts(run_folder: Path) -> Iterator[Leftover]:
    """Yield files and folders that a killed process was about to put in place."""
    folders = [one for one in sorted(run_folder.iterdir()) if one.is_dir()]
    inside = (path for one in folders if one.name not in _OTHERS for path in files_below(one, ".*"))
    for path in sorted([*run_folder.glob(".*"), *inside]):
        hidden = [part for part in path.relative_to(run_folder).parts if part[0] == "."]
        old = time.time() - path.lstat().st_mtime > _OLD_SECONDS
        if len(hidden) == 1 and path.name.count(".") > 1 and old:
            yield _leftover("draft of a process that was killed", path)


def _unused_objects(planner: Planner) -> Iterator[Leftover]:
    """Yield stored sources that no record names any more."""
    run = planner.run_folder
    text = "".join(
        path.read_text(encoding="utf-8", errors="replace")
        for folder in (run / "records", run / "work", run / "states")
        for path in files_below(folder, "*.json")
    )
    unused = [
        path
        for path in sorted(files_below(run / "objects"))
        if path == object_path(run, path.name) and path.name not in text
    ]
    if unused:
        yield _leftover("stored sources that no record names", *unused)


def _base(run_folder: Path) -> Path:
    """Return the folder in which Snakemake ran."""
    base = run_folder.absolute().parents[1]
    return Path() if base == Path.cwd() else base


def _leftover(why: str, *paths: Path) -> Leftover:
    files = (file for path in paths for file in ([path] if path.is_file() else files_below(path)))
    return Leftover(why, paths, sum(file.lstat().st_size for file in files if file.is_file()))


def _delete(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise StorageError(
            "A leftover cannot be deleted.",
            where=str(path),
            got=error.strerror or str(error),
            fix="clean as the user who owns it, or leave it: no run needs it",
        ) from error


def _drop_empty(work: Path) -> None:
    for folder in sorted((path for path in files_below(work) if path.is_dir()), reverse=True):
        with suppress(OSError):  # it is not empty
            folder.rmdir()
