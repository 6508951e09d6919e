"""Errors that tell a user what failed, where, what was found and how to fix it."""

import difflib
from collections.abc import Iterable


class CactusError(Exception):
    """An error with a remedy.

    Parameters
    ----------
    what
        What failed, one sentence.
    where
        The file, config key or cell in which it failed.
    got
        The value or state that was found.
    fix
        What the user does about it.
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
    """Raw or prepared data are missing, damaged or unexpected."""

    exit_code = 3


class EpisodeError(CactusError):
    """An episode cannot be drawn from the classes at hand."""

    exit_code = 4


class TrainingError(CactusError):
    """Training left the finite numbers or cannot go on."""

    exit_code = 5


class StorageError(CactusError):
    """A result cannot be written."""

    exit_code = 6


class CodeError(CactusError):
    """The code that a job runs is missing, or is not the code that was planned."""

    exit_code = 7


class RecordError(CactusError):
    """A record, a plan or a run is missing, damaged or does not fit."""

    exit_code = 8


class LeaseError(CactusError):
    """Another process has taken over the job."""

    exit_code = 9


class ClusterError(CactusError):
    """The cluster is absent, does not answer, or refuses what is asked of it."""

    exit_code = 10


class StoppedError(CactusError):
    """The job was asked to stop before its end; it may be run again as it is."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return advice that names the known name nearest to a misspelled one, or the known ones."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"known are {', '.join(names[:10])}" if names else otherwise
