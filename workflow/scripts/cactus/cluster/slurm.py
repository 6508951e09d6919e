"""Slurm's commands, and parsers for what they print."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from typing import Final, NamedTuple

from cactus.errors import ClusterError

# Seconds; a controller under load still answers within this time.
_TIMEOUT: Final = 60
_QUEUE: Final = "%i|%j|%T|%r|%P|%k"
# States in which a job may still run, or run again.
_ALIVE: Final = {
    *("PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED", "REQUEUED"),
    *("REQUEUE_HOLD", "REQUEUE_FED", "SIGNALING", "STAGE_OUT", "RESIZING", "SPECIAL_EXIT"),
}


class SlurmJob(NamedTuple):
    """A job, as shown by squeue."""

    id: str
    name: str
    state: str
    reason: str
    partition: str
    comment: str

    @property
    def alive(self) -> bool:
        """Whether the job is pending or running, or will run again by itself."""
        return self.state in _ALIVE


class Partition(NamedTuple):
    """A partition.

    Attributes
    ----------
    name, default
        Its name, and whether it is the default.
    gres
        Generic resources of its nodes, without repeats, e.g. ``gpu:a100:4``.
    max_minutes
        Time limit of its jobs; None if unlimited.
    memory
        Memory of its largest node. [MB]
    shards
        Shards of each GPU, which let jobs share it: the fewest if nodes differ, 0 without any.
    """

    name: str
    default: bool
    gres: tuple[str, ...]
    max_minutes: int | None
    memory: int
    shards: int

    @property
    def gpus(self) -> list[str]:
        """Its generic resources that are GPUs."""
        return [kind for kind in self.gres if kind.split(":")[0] == "gpu"]

    def __str__(self) -> str:
        default = " (default)" if self.default else ""
        gpus = ", ".join(self.gpus) or "no GPU"
        shards = f", {self.shards} shards each" if self.shards else ""
        limit = f"{self.max_minutes} min" if self.max_minutes else "no time limit"
        return f"{self.name}{default}: {gpus}{shards}, {limit}"


def has_slurm() -> bool:
    """Return whether Slurm's commands are installed here."""
    return shutil.which("squeue") is not None


def run_slurm(*command: str) -> str:
    """Run a Slurm command and return its output.

    Raises
    ------
    ClusterError
        The command is not installed, fails, or the controller does not answer.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_TIMEOUT
        )
    except FileNotFoundError as error:
        raise ClusterError(
            "Slurm's commands are not installed on this machine.",
            where=command[0],
            got="no such program on PATH",
            fix="start the workflow on the cluster's login node, or run it here without "
            "`--profile slurm`, e.g. with `snakemake --cores 2`",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise _no_answer(command, f"nothing within {_TIMEOUT} s") from error
    if done.returncode:
        raise _no_answer(command, " ".join(done.stderr.split()) or f"exit code {done.returncode}")
    return done.stdout


def _no_answer(command: tuple[str, ...], got: str) -> ClusterError:
    return ClusterError(
        "Slurm does not answer as expected.",
        where=" ".join(command),
        got=got,
        fix="try the command by hand; `scontrol ping` shows whether the controller is up",
    )


def works(*command: str) -> bool:
    """Return whether a Slurm command succeeds."""
    try:
        run_slurm(*command)
    except ClusterError:
        return False
    return True


def queue(names: Iterable[str]) -> list[SlurmJob]:
    """Return the jobs with the given names: pending, running and recently ended ones.

    Raises
    ------
    ClusterError
        The controller does not answer.
    """
    wanted = ",".join(names)
    if not wanted:
        return []
    command = ("squeue", "--noheader", "--states=all", f"--format={_QUEUE}", "--name", wanted)
    return [SlurmJob(*line.split("|", maxsplit=5)) for line in run_slurm(*command).splitlines()]


def cancel(jobs: Iterable[SlurmJob]) -> None:
    """Cancel jobs by their ids.

    Raises
    ------
    ClusterError
        The controller does not answer.
    """
    identities = [job.id for job in jobs]
    if identities:
        run_slurm("scancel", *identities)


def partitions() -> list[Partition]:
    """Return the partitions that are up.

    Raises
    ------
    ClusterError
        The controller does not answer.
    """
    found: dict[str, Partition] = {}
    # sinfo prints a row per partition and kind of node.
    for line in run_slurm("sinfo", "--noheader", "--format=%P|%a|%G|%l|%m").splitlines():
        name, state, gres, limit, megabytes = line.split("|", maxsplit=4)
        if state.strip() != "up":
            continue
        plain = name.strip().removesuffix("*")
        kinds = [] if gres.strip() == "(null)" else _kinds(gres.strip())
        known = found.get(plain, Partition(plain, name.strip().endswith("*"), (), None, 0, 0))
        found[plain] = known._replace(
            gres=tuple(dict.fromkeys([*known.gres, *kinds])),
            max_minutes=parse_minutes(limit.strip()),
            memory=max(known.memory, int(megabytes.strip().rstrip("+"))),
            shards=min({known.shards, _shards(kinds)} - {0}, default=0),
        )
    return list(found.values())


def settings() -> dict[str, str]:
    """Return the settings of the cluster, named as in slurm.conf.

    Raises
    ------
    ClusterError
        The controller does not answer.
    """
    lines = run_slurm("scontrol", "show", "config").splitlines()
    pairs = (line.split("=", maxsplit=1) for line in lines if "=" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def accounts(user: str) -> list[str]:
    """Return the accounts that a user may charge; empty if the cluster does not say."""
    command = ("sacctmgr", "--noheader", "--parsable2", "show", "associations")
    try:
        lines = run_slurm(*command, f"user={user}", "format=account").splitlines()
    except ClusterError:
        return []
    return sorted({line.strip() for line in lines} - {""})


def _kinds(gres: str) -> list[str]:
    """Return the generic resources of a node, without the sockets in parentheses."""
    return re.sub(r"\([^()]*\)", "", gres).split(",")


def _shards(kinds: list[str]) -> int:
    """Return the shards of each GPU of a node; 0 if there are none."""
    gpus, shards = (
        sum(int(kind.split(":")[-1]) for kind in kinds if kind.split(":")[0] == name)
        for name in ("gpu", "shard")
    )
    return shards // gpus if gpus else 0


def parse_minutes(limit: str) -> int | None:
    """Return a time limit, ``[days-]hours:minutes:seconds`` or shorter, rounded up to minutes."""
    if limit in ("infinite", "UNLIMITED", "n/a", ""):
        return None
    days, _, rest = limit.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if days:  # days-hours[:minutes[:seconds]]
        hours, mins, seconds = (*parts, 0, 0)[:3]
    else:  # [[hours:]minutes:]seconds, but a single number is minutes
        hours, mins, seconds = (0, parts[0], 0) if len(parts) == 1 else ((0, 0, *parts)[-3:])
    return int(days or 0) * 1440 + hours * 60 + mins + (1 if seconds else 0)
