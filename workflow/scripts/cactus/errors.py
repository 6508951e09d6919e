"""Errors that tell a user what failed, where, what was found, and how to fix it."""

import difflib
from collections.abc import Iterable


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
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str, got: str, fix: str) -> None:
        self.what, self.where, self.got, self.fix = what, where, got, fix
        super().__init__(what)

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
    """Memory, threads or open files ran out."""

    exit_code = 11


class StoppedError(CactusError):
    """The job was asked to stop early; it can be run again unchanged."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return advice for an unknown name: the most similar known one, else `otherwise`."""
    similar = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean '{similar[0]}'?" if similar else otherwise


def did_you_mean_or_known(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return the same, but name some of the known names where none is similar."""
    names = sorted(known)
    shown = f"known are {', '.join(names[:10])}" if names else otherwise
    return did_you_mean(name, names, shown)
