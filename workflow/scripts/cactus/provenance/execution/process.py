"""Identifies a process, so that another one can tell whether it is still alive."""

import getpass
import os
import socket
from pathlib import Path
from typing import Any


def identity() -> dict[str, Any]:
    """Return what identifies this process: host, boot id, process id, start time and Slurm job.

    Process ids are reused; the boot id and the start time tell the processes apart.
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


def name_user() -> None:
    """Give a user id that has no name, as containers do, its number as its name.

    Snakemake and `getpass` cannot do without one.
    """
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["LOGNAME"] = f"uid-{os.getuid()}"


def is_alive(facts: dict[str, Any]) -> bool | None:
    """Return whether the process that `identity` describes is alive; None if that is unknown."""
    if facts.get("host") != socket.gethostname() or _boot() is None:
        return None  # another host, or no /proc to look in
    start = _start(int(facts["pid"]))
    return facts.get("boot") == _boot() and start is not None and start == facts.get("process")


def process_location(facts: dict[str, Any]) -> str:
    """Return where a process runs, in words."""
    slurm = f", Slurm job {facts['slurm']}" if "slurm" in facts else ""
    return f"on {facts.get('host')}, process {facts.get('pid')}{slurm}"


def _boot() -> str | None:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else None


def _start(pid: int) -> str | None:
    """Return the start time of a process, in clock ticks since boot; None if it has ended."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[18] if state not in "ZX" else None  # ended, and not collected by its parent
