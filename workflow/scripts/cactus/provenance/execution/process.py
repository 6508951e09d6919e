"""Identifies a process, so that another one can tell whether it is still alive."""

import getpass
import json
import os
import socket
from pathlib import Path
from typing import Any


def identity() -> dict[str, Any]:
    """Return what identifies this process: host, boot, process id, start time and Slurm job.

    Process ids are reused; the boot and the start time tell the processes apart.
    """
    slurm = {"slurm": os.environ["SLURM_JOB_ID"]} if "SLURM_JOB_ID" in os.environ else {}
    pid = os.getpid()
    return {
        "host": socket.gethostname(),
        "boot": _boot(),
        "pid": pid,
        "process": _start(pid),
        **slurm,
    }


def is_driver() -> bool:
    """Return whether this process is the first of a run to ask; its children inherit who is.

    A process id alone may also be that of a process on a node of the cluster.
    """
    text = json.dumps(identity())
    return os.environ.setdefault("CACTUS_PLANNED_BY", text) == text


def name_user() -> None:
    """Give a user id that has no name, as containers do, its number as its name.

    Snakemake and `getpass` cannot do without one.
    """
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["LOGNAME"] = f"uid-{os.getuid()}"


def is_alive(facts: dict[str, Any]) -> bool | None:
    """Return whether the process that `identity` describes is alive; None if that is unknown.

    Only a process of this host, this boot and this space of process ids can be looked up: other
    machines or containers may have the same name.
    """
    here = socket.gethostname(), _boot()
    if None in here or here != (facts.get("host"), facts.get("boot")) or "pid" not in facts:
        return None
    start = _start(int(facts["pid"]))
    return start is not None and start == facts.get("process")


def process_location(facts: dict[str, Any]) -> str:
    """Return where a process runs, in words."""
    slurm = f", Slurm job {facts['slurm']}" if "slurm" in facts else ""
    return f"on {facts.get('host')}, process {facts.get('pid')}{slurm}"


def _boot() -> str | None:
    """Return the ids of this boot and of the space of process ids, which a container has alone."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def _start(pid: int) -> str | None:
    """Return the start time of a process, in clock ticks since boot; None if it has ended."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[18] if state not in "ZX" else None  # ended, and not collected by its parent
