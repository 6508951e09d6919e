"""Errors that tell a user what failed, where, what was found, and how to fix it."""

import difflib
import re
from collections.abc import Collection, Iterable
from functools import partial
from itertools import islice
from typing import Any

# Longer parts of a message lose their middle; a file can carry a name of megabytes.
_MAX_TEXT = 4000
# What moves a terminal's cursor, changes its colors or the direction of its text, or is invisible:
# control characters, marks of direction, separators of lines, tags, and surrogates, by which
# Python stands for bytes that are not UTF-8.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_BYTES = range(0xDC80, 0xDD00)


def printable(text: str) -> str:
    r"""Return a text, such as the name of a file, that is safe to print and to store as UTF-8.

    What a terminal acts on is escaped, and so are bytes that are not UTF-8 (``\xff``); letters of
    all scripts stay as they are. A very long text loses its middle.
    """
    return _UNPRINTABLE.sub(_escape, _cut(text))


def _cut(text: str) -> str:
    if len(text) <= _MAX_TEXT:
        return text
    return f"{text[: _MAX_TEXT // 2]} [... of {len(text)} characters] {text[-_MAX_TEXT // 4 :]}"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code in _BYTES:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def _printable_lines(text: str) -> str:
    """Make a part of a message printable that may have several lines."""
    return "\n".join(printable(line) for line in _cut(text).split("\n"))


class CactusError(Exception):
    """An error that says how to fix it.

    Parameters
    ----------
    what
        What failed, one sentence.
    where
        The file, configuration key or cell where it failed.
    got
        The value or state found there.
    fix
        What the user can do about it.

    Each part is kept as `printable` returns it, because it may hold names and values of strangers.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str, got: str, fix: str) -> None:
        self.what, self.where = _printable_lines(what), printable(where)
        self.got, self.fix = _printable_lines(got).strip() or "nothing", _printable_lines(fix)
        super().__init__(self.what)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle all parts: pools of processes send errors, and hang on one that cannot be read."""
        parts = {"where": self.where, "got": self.got, "fix": self.fix}
        return partial(type(self), **parts), (self.what,)

    def __str__(self) -> str:
        return f"{self.what}\n  where: {self.where}\n  got:   {self.got}\n  fix:   {self.fix}"


class ConfigError(CactusError):
    """The configuration is not valid."""

    exit_code = 2


class DataError(CactusError):
    """Raw or prepared data is missing, damaged or unexpected."""

    exit_code = 3


class EpisodeError(CactusError):
    """An episode cannot be drawn from the available classes."""

    exit_code = 4


class TrainingError(CactusError):
    """Training diverged (NaN or infinity) or cannot continue."""

    exit_code = 5


class StorageError(CactusError):
    """A result cannot be written."""

    exit_code = 6


class CodeError(CactusError):
    """The code of a job is missing, or is not the code that was planned."""

    exit_code = 7


class RecordError(CactusError):
    """A record, a plan or a run is missing, damaged or inconsistent."""

    exit_code = 8


class LeaseError(CactusError):
    """Another process has taken over the job."""

    exit_code = 9


class ClusterError(CactusError):
    """The cluster is missing, does not respond, or rejects a request."""

    exit_code = 10


class ResourceError(CactusError):
    """Memory, threads or open files ran out, or a program that is needed is missing."""

    exit_code = 11


class GpuMemoryError(ResourceError):
    """The memory of a GPU ran out: the same job on a GPU of its own would fail again."""

    exit_code = 12


class StoppedError(CactusError):
    """The job was asked to stop early; it can be run again unchanged."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return advice for an unknown name: the most similar known one, else `otherwise`."""
    names = list(known)
    similar = difflib.get_close_matches(name, names, n=1)
    similar += [one for one in names if one.lower() == name.lower()]
    return f"did you mean '{similar[0]}'?" if similar else otherwise


def did_you_mean_or_known(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return the same, but name some of the known names where none is similar."""
    names = sorted(known)
    between = "; " if any("," in one for one in names[:10]) else ", "
    shown = f"known are {few(names, 10, between)}" if names else otherwise
    return did_you_mean(name, names, shown)


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number of things, such as ``1 class`` or ``2 classes``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def few(names: Collection[str], most: int = 3, between: str = ", ") -> str:
    """Return the first names of a list, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(islice(names, most)) + more
