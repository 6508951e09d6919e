"""Whether a job runs or has failed: a small file that is there only as long as either holds."""

import json
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from cactus.errors import CactusError
from cactus.files import write_json
from cactus.provenance.jobs import Job


def state_path(run_folder: Path, job: Job) -> Path:
    """Return where a job says that it runs or has failed."""
    return run_folder / "states" / f"{job.name}.json"


@dataclass
class JobState:
    """Says that a job runs while the block does, and afterwards if it has failed."""

    run_folder: Path
    job: Job
    started: datetime

    def __enter__(self) -> None:
        self._write(state="running", pid=os.getpid(), boot=_boot(), process=_process(os.getpid()))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            state_path(self.run_folder, self.job).unlink(missing_ok=True)
            return
        text = error.what if isinstance(error, CactusError) else repr(error)
        self._write(state="failed", error=text, ended=datetime.now(UTC).isoformat())

    def _write(self, **facts: Any) -> None:
        common = {"host": socket.gethostname(), "started": self.started.isoformat()}
        slurm = {"slurm": os.environ["SLURM_JOB_ID"]} if "SLURM_JOB_ID" in os.environ else {}
        write_json(state_path(self.run_folder, self.job), {**common, **slurm, **facts})


def read_state(run_folder: Path, job: Job) -> dict[str, Any] | None:
    """Return what a job says of itself: ``state`` is running, failed or killed.

    A job is "killed" if it says that it runs, but its process on this host is gone. Of another
    host that cannot be seen from here.
    """
    try:
        facts: dict[str, Any] = json.loads(state_path(run_folder, job).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    here = facts.get("host") == socket.gethostname()
    if facts.get("state") == "running" and here and not _alive(facts):
        facts["state"] = "killed"
    return facts


def _alive(facts: dict[str, Any]) -> bool:
    if _boot() is None:
        return True  # no /proc to ask
    process = _process(int(facts["pid"]))
    return facts.get("boot") == _boot() and process is not None and process == facts.get("process")


def _boot() -> str | None:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else None


def _process(pid: int) -> str | None:
    """Return the start time of a process, in clock ticks since boot; None if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None
