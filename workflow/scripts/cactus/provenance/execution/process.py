"""Which process this is, so that another one can tell whether it still lives."""

import os
import socket
from pathlib import Path
from typing import Any


def identity() -> dict[str, Any]:
    """Return what names this process: host, boot of the host, id, start, and its Slurm job."""
    slurm = {"slurm": os.environ["SLURM_JOB_ID"]} if "SLURM_JOB_ID" in os.environ else {}
    pid = os.getpid()
    return {
        "host": socket.gethostname(),
        "boot": _boot(),
        "pid": pid,
        "process": _start(pid),
        **slurm,
    }


def is_alive(facts: dict[str, Any]) -> bool | None:
    """Return whether the process that `identity` described lives; None if it cannot be seen."""
    if facts.get("host") != socket.gethostname() or _boot() is None:
        return None  # another host, or no /proc to ask
    start = _start(int(facts["pid"]))
    return facts.get("boot") == _boot() and start is not None and start == facts.get("process")


def place(facts: dict[str, Any]) -> str:
    """Return where a process runs, in words."""
    slurm = f", Slurm job {facts['slurm']}" if "slurm" in facts else ""
    return f"on {facts.get('host')}, process {facts.get('pid')}{slurm}"


def _boot() -> str | None:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else None


def _start(pid: int) -> str | None:
    """Return the start of a process, in clock ticks since boot; None if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None
