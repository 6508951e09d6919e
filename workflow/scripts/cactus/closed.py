"""What is closed to this user on the way to a file, and the command that opens it."""

import errno
import os
import pwd
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, NamedTuple

from cactus.shell import quoted

_REFUSED: Final = os.strerror(errno.EACCES)


class Closed(NamedTuple):
    """A file or a folder that is closed: where, what it is, and the command without the path."""

    path: Path
    got: str
    words: str

    @property
    def command(self) -> str:
        """The command that opens it."""
        return f"{self.words} {quoted(self.path)}"

    @property
    def fix(self) -> str:
        """What to do about it."""
        return f"`{self.command}`; then run the same command again"


def closed_itself(path: Path) -> Closed | None:
    """Return that a file cannot be read, or a folder not be listed and entered, if so."""
    folder = path.is_dir()
    if os.access(path, os.R_OK | os.X_OK if folder else os.R_OK):
        return None
    return _closed(path, folder, f"cannot be read ({_REFUSED})", "u+rwx" if folder else "u+rw")


def closed_on_the_way(path: str | os.PathLike[str], *, writing: bool = False) -> Closed | None:
    """Return the first folder on the way to a file that cannot be entered, or the file itself.

    It is named as the path is, relative to the current folder or not.

    Parameters
    ----------
    writing
        Whether a folder or a file that can be read counts, too, if it cannot be written.
    """
    real = Path(os.path.realpath(path))
    for one in (*reversed(real.parents), real):
        if not os.path.lexists(one):
            break
        shown = _shown(one, Path(path))
        if one == real and (found := closed_itself(shown)):
            return found
        if stat.S_ISDIR(one.lstat().st_mode) and not os.access(one, os.X_OK):
            return _closed(shown, True, f"cannot be read ({_REFUSED})", "u+rwx")
    if not writing:
        return None
    # A file is mostly replaced, for which its folder matters.
    folder = next(one for one in (real, *real.parents) if os.path.isdir(one))  # noqa: PTH112
    for one in (folder, real):
        if os.path.lexists(one) and not os.access(one, os.W_OK):
            return _closed(_shown(one, Path(path)), one == folder, "is closed to writing", "u+w")
    return None


def files_below(folder: Path, pattern: str = "*") -> Iterator[Path]:
    """Yield all files and folders below a folder whose names match, those of a folder in order.

    Unlike `Path.rglob`, it does not pass over a closed folder in silence. What is gone, or never
    was a folder, has nothing below it.

    Raises
    ------
    PermissionError
        A folder is closed.
    """
    for place, folders, files in os.walk(folder, onerror=_raise_if_closed):
        folders.sort()
        names = (name for name in sorted([*folders, *files]) if fnmatchcase(name, pattern))
        yield from (Path(place, name) for name in names)


def _raise_if_closed(error: OSError) -> None:
    if isinstance(error, PermissionError):
        raise error


def _closed(path: Path, folder: bool, state: str, mode: str) -> Closed:
    what = f"a {'folder' if folder else 'file'} that {state}"
    owner = path.lstat().st_uid
    if owner == os.geteuid():
        return Closed(path, what, f"chmod {mode}")
    # Only the owner may open it, to others than the owner.
    return Closed(path, f"{what}, which {_name(owner)} owns", f"chmod {mode.replace('u', 'a')}")


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _shown(one: Path, given: Path) -> Path:
    """Return a path below the current folder as a relative one, if that was given."""
    here = Path.cwd()
    if given.is_absolute() or one == here or not one.is_relative_to(here):
        return one
    return one.relative_to(here)
