"""What Slurm's commands print: jobs, partitions, settings and accounts."""

import os
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from cactus.cluster.clients import run_slurm
from cactus.cluster.gres import Gres, parse_gres, shards_of_each_gpu
from cactus.errors import ClusterError

_QUEUE: Final = "%i|%j|%T|%r|%P|%k"
_LIMITS: Final = ("job submit limit", "maxsubmit", "grpsubmit", "temporarily unable to accept")
# States of nodes that run jobs or will as soon as they are asked to.
_AVAILABLE: Final = {
    *("idle", "mixed", "allocated", "completing", "planned", "mix", "alloc", "comp", "plnd"),
}
# What may be added to such a state by `+` if the node runs no jobs all the same.
_UNAVAILABLE: Final = {
    *("drain", "drained", "draining", "down", "fail", "failing", "maint", "maintenance"),
    *("reserved", "not_responding", "no_respond", "invalid_reg", "blocked", "powering_down"),
}
_UNLIMITED: Final = {"infinite", "unlimited", "n/a", "not_set", "invalid", "partition_limit", ""}
_MEGABYTES: Final = {"": 1, "M": 1, "G": 2**10, "T": 2**20}
# States in which a job is over for good. In any other that a version of Slurm prints, such as
# RESV_DEL_HOLD, it may still run.
_ENDED: Final = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY"),
    *("PREEMPTED", "REVOKED", "TIMEOUT"),
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
        return self.state not in _ENDED


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
        Memory of its largest node; 0 if slurm.conf does not declare any (RealMemory). [MB]
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
    def gpu_kinds(self) -> list[Gres]:
        """Its generic resources that are GPUs, or slices of them."""
        return [kind for kind in parse_gres(self.gres) if kind.name == "gpu"]

    @property
    def gpus(self) -> list[str]:
        """The same as sinfo prints them."""
        return [kind.text for kind in self.gpu_kinds]

    def __str__(self) -> str:
        default = " (default)" if self.default else ""
        gpus = ", ".join(self.gpus) or "no GPU"
        shards = f", {self.shards} shards each" if self.shards else ""
        limit = f"{self.max_minutes} min" if self.max_minutes else "no time limit"
        return f"{self.name}{default}: {gpus}{shards}, {limit}"


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
    return [SlurmJob(*row) for row in _rows(6, *command)]


def any_queued() -> bool:
    """Return whether this user has pending or running jobs, of any run.

    Raises
    ------
    ClusterError
        The controller does not answer.
    """
    return bool(run_slurm("squeue", "--noheader", "--format=%i", f"--user={os.getuid()}").strip())


def is_limit(refusal: str) -> bool:
    """Return whether sbatch refuses a job because too many are queued: later it may accept it."""
    return any(words in refusal.lower() for words in _LIMITS)


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
    for row in _rows(5, "sinfo", "--noheader", "--format=%P|%a|%G|%l|%m"):
        name, state, gres, limit, megabytes = row
        if state.strip().lower() != "up":
            continue
        plain = name.strip().removesuffix("*")
        kinds = parse_gres([gres])
        known = found.get(plain, Partition(plain, name.strip().endswith("*"), (), None, 0, 0))
        found[plain] = known._replace(
            gres=tuple(dict.fromkeys([*known.gres, *(kind.text for kind in kinds)])),
            max_minutes=parse_minutes(limit.strip()),
            memory=max(known.memory, _megabytes(megabytes)),
            shards=min({known.shards, shards_of_each_gpu(kinds)} - {0}, default=0),
        )
    return list(found.values())


def unavailable(partition: str) -> list[str]:
    """Return what keeps a partition from starting jobs, each in words; empty if nothing does.

    Parameters
    ----------
    partition
        Its name; empty for the cluster's default.

    Raises
    ------
    ClusterError
        The controller does not answer.
    """
    found = []
    for row in _rows(5, "sinfo", "--noheader", "--Node", "--format=%P|%a|%N|%T|%E"):
        name, up, node, state, reason = (word.strip() for word in row)
        if name.removesuffix("*") != partition and (partition or not name.endswith("*")):
            continue
        if up.lower() != "up":
            found.append(f"partition {name.removesuffix('*')} is {up}")
        # The marks say that a node saves power or boots; an asterisk, that it does not respond.
        base, *flags = state.lower().rstrip("~#!%$@^-+").split("+")
        if base not in _AVAILABLE or _UNAVAILABLE & {*flags}:
            why = "" if reason.lower() in ("", "none") else f" ({reason})"
            found.append(f"node {node} is {state.replace('*', ' and does not respond')}{why}")
    return list(dict.fromkeys(found))


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


def _rows(columns: int, *command: str) -> list[list[str]]:
    """Return the columns of each line that a command prints, separated by ``|``.

    On several clusters, a line ``CLUSTER: name`` stands before the rows of each.
    """
    rows = []
    for line in run_slurm(*command).splitlines():
        row = line.split("|", maxsplit=columns - 1)
        if len(row) == columns:
            rows.append(row)
        elif line.strip() and not line.startswith("CLUSTER:"):
            raise ClusterError(
                "Slurm does not answer as expected.",
                where=" ".join(command),
                got=f"{line[:200]!r}, which does not have {columns} columns",
                fix="try the command by hand; a wrapper of the site may change what it prints",
            )
    return rows


def _megabytes(text: str) -> int:
    """Return the memory of a node. Slurm's default, where nobody declared it, is 1 MB."""
    if text.strip().lower() in ("", "n/a"):
        return 0
    number = re.fullmatch(r"\s*(\d+)(\.\d+)?([MGT]?)\+?\s*", text)
    if number is None:
        raise _unreadable("the memory of a node", text)
    found = int(float(number[1] + (number[2] or "")) * _MEGABYTES[number[3]])
    return found if found > 1 else 0


def parse_minutes(limit: str) -> int | None:
    """Return a time limit, ``[days-]hours:minutes:seconds`` or shorter, rounded up to minutes.

    Raises
    ------
    ClusterError
        It is not a time.
    """
    if limit.lower() in _UNLIMITED:
        return None
    if not re.fullmatch(r"(\d+-)?\d+(:\d+){0,2}", limit):
        raise _unreadable("a time limit", limit)
    days, _, rest = limit.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if days:  # days-hours[:minutes[:seconds]]
        hours, mins, seconds = (*parts, 0, 0)[:3]
    else:  # [[hours:]minutes:]seconds, but a single number is minutes
        hours, mins, seconds = (0, parts[0], 0) if len(parts) == 1 else ((0, 0, *parts)[-3:])
    return int(days or 0) * 1440 + hours * 60 + mins + (1 if seconds else 0)


def _unreadable(what: str, got: str) -> ClusterError:
    return ClusterError(
        "Slurm prints something that cannot be read.",
        where=what,
        got=repr(got[:200]),
        fix="try `sinfo --format='%P|%a|%G|%l|%m'` by hand; a wrapper of the site may change what "
        "it prints",
    )
