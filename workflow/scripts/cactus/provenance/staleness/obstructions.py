"""What stands in the place of a run's files and folders, so that no job can write them."""

import errno
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from cactus.errors import RecordError, few, printable
from cactus.provenance.execution.attempts import failure_path, work_folder
from cactus.provenance.execution.lease import LEASE_FILE
from cactus.provenance.execution.logs import log_path
from cactus.provenance.fingerprint.hash_cache import HASHES_FILE
from cactus.provenance.records.objects import object_path
from cactus.provenance.records.plan import plan_path
from cactus.provenance.records.record import record_path
from cactus.provenance.records.run_reader import RunReader
from cactus.provenance.records.shell import quoted
from cactus.provenance.staleness.run_folders import PLANNED_CONFIG_FILE
from cactus.provenance.staleness.waivers import WAIVERS_FILE
from cactus.stages.base import Job
from cactus.stages.whole_run.audit_run import AUDIT

_FILES: Final = (PLANNED_CONFIG_FILE, HASHES_FILE, WAIVERS_FILE)
_FOLDERS: Final = ("objects", "states", "work", "logs")
_KINDS: Final = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISREG, "a file"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
)
# The names in a folder, each with the job whose file it is, or with those in a folder.
_Tree = dict[str, "Job | _Tree"]


class Obstruction(NamedTuple):
    """Something that keeps a run from its files.

    Attributes
    ----------
    path
        Where it is.
    got
        What it is, and what belongs there.
    job
        The job whose file belongs there; the audit for a folder.
    words
        The command that gets it out of the way, without the path.
    """

    path: Path
    got: str
    job: Job
    words: str

    def __str__(self) -> str:
        return printable(f"{self.path}: {self.got}")


def obstructions(run: RunReader) -> list[Obstruction]:
    """Return what is in the place of a run's files and folders, and the folders that are closed.

    A link to a folder or to a file is as good as one.
    """
    for folder in (run.run_folder.parent, run.run_folder):
        if not os.path.lexists(folder):
            return []
        if not folder.is_dir():
            return [_in_place(folder, AUDIT, "folder")]
    return list(_look(run.run_folder, _owned(run)))


def clearing(found: Sequence[Obstruction]) -> str:
    """Return the command that gets obstructions out of the way."""
    by_words: dict[str, list[str]] = {}
    for one in found:
        by_words.setdefault(one.words, []).append(quoted(one.path))
    return " && ".join(f"{words} {' '.join(paths)}" for words, paths in by_words.items())


def note_obstructions(run: RunReader) -> list[Obstruction]:
    """Print what keeps a run from its files, and return it."""
    found = obstructions(run)
    for one in found:
        print(f"note: no job can run: {one}; `{clearing([one])}`", file=sys.stderr)
    return found


def refuse_obstructions(run: RunReader) -> None:
    """Check that nothing is in the place of a run's files and folders.

    Raises
    ------
    RecordError
        Something is.
    """
    found = obstructions(run)
    if found:
        more = f"; also {few([*map(str, found[1:])])}" if found[1:] else ""
        raise RecordError(
            "Something is in the place of a file or a folder of the run.",
            where=str(found[0].path),
            got=f"{found[0].got}{more}",
            fix=f"`{clearing(found)}`, or move it away; then run the same command again",
        )


def _owned(run: RunReader) -> _Tree:
    """Return the files of all jobs and those of the whole run."""
    tree: _Tree = {}
    for name in _FOLDERS:
        tree[name] = {}
    for name in _FILES:
        _add(tree, Path(name), AUDIT)
    nowhere = Path()
    for job in run.graph.jobs:
        places = [place(nowhere, job) for place in (record_path, plan_path, failure_path, log_path)]
        lease = work_folder(nowhere, job) / LEASE_FILE
        for path in (*places, lease, *map(Path, job.files)):
            _add(tree, path, job)
    for record in run.records():
        for digest in record.texts:
            _add(tree, object_path(nowhere, digest), record.job)
    return tree


def _add(tree: _Tree, path: Path, job: Job) -> None:
    for part in path.parts[:-1]:
        below = tree.setdefault(part, {})
        assert isinstance(below, dict), path
        tree = below
    tree[path.name] = job


def _look(folder: Path, tree: _Tree) -> Iterator[Obstruction]:
    try:
        with os.scandir(folder) as found:
            entries = {one.name: one for one in found if one.name in tree}
        if not os.access(folder, os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        got = f"a folder that cannot be read ({error.strerror})"
        yield Obstruction(folder, got, AUDIT, "chmod u+rwx")
        return
    for name, below in tree.items():
        if name not in entries:
            continue
        fits = False
        with suppress(OSError):  # a link that leads nowhere
            entry = entries[name]
            fits = entry.is_dir() if isinstance(below, dict) else entry.is_file()
        if not isinstance(below, dict):
            if not fits:
                yield _in_place(folder / name, below, "file")
        elif fits:
            yield from _look(folder / name, below)
        else:
            yield _in_place(folder / name, AUDIT, "folder")


def _in_place(path: Path, job: Job, wanted: str) -> Obstruction:
    mode = path.lstat().st_mode
    what = next((text for matches, text in _KINDS if matches(mode)), "a device or a socket")
    if stat.S_ISLNK(mode):
        what += f" to {path.readlink()}"
        what += "" if path.exists() else ", which leads nowhere,"
    return Obstruction(path, f"{what} in the place of a {wanted}", job, "rm -rf")
