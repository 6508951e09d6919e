"""Errors that tell a user what failed, where, what was found and how to mend it."""


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
