"""What stands in the place of a file or a folder, and the command that gets it out of the way."""

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from cactus.closed import closed_itself, closed_on_the_way
from cactus.errors import RecordError, few, printable
from cactus.provenance.records.reasons import is_absent
from cactus.shell import quoted
from cactus.stages.base import Job
from cactus.stages.whole_run.audit_run import AUDIT

_KINDS: Final = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISREG, "a file"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
)


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


def look_at(path: Path, wanted: Literal["file", "folder"], job: Job = AUDIT) -> Obstruction | None:
    """Return what is in the place of a file or a folder, or what is closed on the way there.

    A link to one is as good as one. There has to be something, in a folder that can be read.
    """
    what = ""
    try:
        mode = path.stat().st_mode
    except OSError as error:  # a link that leads nowhere, or into a closed folder
        if isinstance(error, PermissionError) and (shut := closed_on_the_way(path)):
            return Obstruction(shut.path, shut.got, job, shut.words)
        mode = 0
        what = ", which leads nowhere," if is_absent(error) else f" ({error.strerror})"
    if not (stat.S_ISREG if wanted == "file" else stat.S_ISDIR)(mode):
        got = f"{kind_at(path)}{what} in the place of a {wanted}"
        return Obstruction(path, got, job, "rm -rf")
    if wanted == "folder" and (closed := closed_itself(path)):
        return Obstruction(path, closed.got, job, closed.words)
    return None


def standing(folders: Iterable[Path]) -> list[Obstruction]:
    """Return what is in the place of some folders, which need not be there, or which are closed."""
    found = (look_at(one, "folder") for one in folders if os.path.lexists(one))
    return [one for one in found if one]


def kind_at(path: Path) -> str:
    """Return what is at a path, such as ``a folder``."""
    mode = path.lstat().st_mode
    what = next((text for matches, text in _KINDS if matches(mode)), "a device or a socket")
    return f"{what} to {path.readlink()}" if stat.S_ISLNK(mode) else what


def clearing(found: Sequence[Obstruction]) -> str:
    """Return the command that gets obstructions out of the way."""
    by_words: dict[str, list[str]] = {}
    for one in found:
        by_words.setdefault(one.words, []).append(quoted(one.path))
    return " && ".join(f"{words} {' '.join(paths)}" for words, paths in by_words.items())


def refuse(found: Sequence[Obstruction], then: str = "run the same command again") -> None:
    """Check that there are no obstructions; say how to mend them, and what to do then.

    Raises
    ------
    RecordError
        There are.
    """
    if found:
        more = f"; also {few([*map(str, found[1:])])}" if found[1:] else ""
        links = any(one.got.startswith("a link") for one in found)
        other = ", or put back what it leads to" if links else ", or move it away"
        closed = all(one.words.startswith("chmod") for one in found)
        raise RecordError(
            "Something keeps a run from its files.",
            where=str(found[0].path),
            got=f"{found[0].got}{more}",
            fix=f"`{clearing(found)}`{'' if closed else other}; then {then}",
        )
