"""What stands in the place of a run's files and folders, so that no job can write them."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from cactus.closed import closed_on_the_way
from cactus.errors import counted, few
from cactus.provenance.execution.attempts import failure_path, work_folder
from cactus.provenance.execution.lease import LEASE_FILE
from cactus.provenance.execution.logs import log_path
from cactus.provenance.fingerprint.hash_cache import HASHES_FILE
from cactus.provenance.records.links import DIGEST, SEAL
from cactus.provenance.records.objects import object_path
from cactus.provenance.records.plan import plan_path
from cactus.provenance.records.record import record_path
from cactus.provenance.records.run_reader import RunReader
from cactus.provenance.staleness.places import Obstruction, clearing, look_at, refuse
from cactus.provenance.staleness.planner import Assessment
from cactus.provenance.staleness.run_folders import PLANNED_CONFIG_FILE
from cactus.provenance.staleness.waivers import WAIVERS_FILE
from cactus.stages.base import Job
from cactus.stages.whole_run.audit_run import AUDIT

_FILES: Final = (PLANNED_CONFIG_FILE, HASHES_FILE, WAIVERS_FILE, DIGEST, SEAL)
FOLDERS: Final = ("objects", "states", "work", "logs")
# The names in a folder, each with the job whose file it is, or with those in a folder.
_Tree = dict[str, "Job | _Tree"]


def obstructions(run: RunReader, writers: Iterable[Job] = ()) -> list[Obstruction]:
    """Return what is in the place of a run's files and folders, and the folders that are closed.

    A folder that can be read but not written counts if one of the `writers` has to write there.
    """
    jobs = list(writers)
    for folder in (run.run_folder.parent, run.run_folder):
        if not os.path.lexists(folder):
            above = next(one for one in folder.absolute().parents if os.path.lexists(one))
            return [_closed(above, "chmod u+w")] if jobs and _is_closed(above) else []
        if blocking := look_at(folder, "folder"):
            return [blocking]
    tree = _owned(run.graph.jobs)
    texts: dict[str, Job] = {}
    for record in run.records():
        texts |= dict.fromkeys(record.texts, record.job)
    for digest, job in texts.items():
        _add(tree, object_path(Path(), digest).parts, job)
    found = list(_look(run.run_folder, tree))
    return found + (list(_look_for_closed(run.run_folder, _owned(jobs))) if jobs else [])


def note_obstructions(run: RunReader, writers: Iterable[Job] = ()) -> list[Obstruction]:
    """Print what keeps a run from its files, and return it."""
    found = obstructions(run, writers)
    for one in found:
        print(f"note: no job can run: {one}; `{clearing([one])}`", file=sys.stderr)
    return found


def note_closed(run: RunReader, found: Iterable[Assessment]) -> list[Assessment]:
    """Print which jobs' files this user may not read, so that they may be fresh; return these."""
    shut = [one for one in found if one.closed]
    reasons = [reason for one in shut for reason in one.reasons]
    places = [Path(one.name) for one in reasons if one.kind == "record"]
    places += [run.run_folder / one.name for one in reasons if one.kind == "output"]
    opening = dict.fromkeys(one.command for one in map(closed_on_the_way, places) if one)
    if shut:
        jobs = [one.job.name for one in shut]
        fix = f"; `{' && '.join(opening)}` opens them" if opening else ""
        count = counted(len(jobs), "job")
        print(f"note: {count} with files that cannot be read: {few(jobs)}{fix}", file=sys.stderr)
    return shut


def refuse_obstructions(run: RunReader, writers: Iterable[Job] = ()) -> None:
    """Check that nothing keeps a run from its files.

    Raises
    ------
    RecordError
        Something does.
    """
    refuse(obstructions(run, writers))


def _owned(jobs: Iterable[Job]) -> _Tree:
    """Return the files of some jobs and those of the whole run, but no stored texts."""
    tree: _Tree = {}
    for name in FOLDERS:
        tree[name] = {}
    for name in _FILES:
        _add(tree, name.split("/"), AUDIT)
    nowhere = Path()
    for job in jobs:
        places = [place(nowhere, job) for place in (record_path, plan_path, failure_path, log_path)]
        lease = work_folder(nowhere, job) / LEASE_FILE
        for path in (*places, lease):
            _add(tree, path.parts, job)
        for name in job.files:
            _add(tree, name.split("/"), job)
    return tree


def _add(tree: _Tree, path: Sequence[str], job: Job) -> None:
    for part in path[:-1]:
        below = tree.setdefault(part, {})
        assert isinstance(below, dict), path
        tree = below
    tree[path[-1]] = job


def _look(folder: Path, tree: _Tree) -> Iterator[Obstruction]:
    """Yield what is in the place of a folder's files and folders, as far as they can be read."""
    with os.scandir(folder) as found:
        present = {one.name: one for one in found}
    for name, below in tree.items():
        if name not in present:
            continue
        if isinstance(below, Job):
            plain = present[name].is_file(follow_symlinks=False)
            blocking = None if plain else look_at(folder / name, "file", below)
        elif (blocking := look_at(folder / name, "folder")) is None:
            yield from _look(folder / name, below)
        yield from filter(None, [blocking])


def _look_for_closed(folder: Path, tree: _Tree) -> Iterator[Obstruction]:
    """Yield the folders to which nobody may write, of those that have to take a file or a folder.

    A job's own folder is replaced as a whole, so the one above it counts, too. A folder that is
    closed stands for the closed ones below it.
    """
    there = {
        name: one
        for name, one in tree.items()
        if isinstance(one, dict) and os.access(folder / name, os.R_OK | os.X_OK)
    }
    takes = (
        not tree
        or len(there) < len(tree)
        or any(isinstance(one, Job) for inner in there.values() for one in inner.values())
    )
    below = [one for name, tree in there.items() for one in _look_for_closed(folder / name, tree)]
    if (takes or below) and _is_closed(folder):
        below = [_closed(folder, "chmod -R u+w")]
    yield from below


def _is_closed(folder: Path) -> bool:
    """Return whether a folder cannot be written, but may be opened.

    A file system that is mounted read-only refuses the first plan, and no command here opens it.
    """
    return not (os.access(folder, os.W_OK) or os.statvfs(folder).f_flag & os.ST_RDONLY)


def _closed(folder: Path, words: str) -> Obstruction:
    return Obstruction(folder, "a folder that is closed to writing", AUDIT, words)
