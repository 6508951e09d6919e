"""Detects a Snakemake process that hangs: it waits for jobs that are gone."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from cactus.cluster.clients import works
from cactus.cluster.slurm import SlurmJob, queue
from cactus.errors import ClusterError

# Short commands of Snakemake's Slurm plugin; they are not work of the run.
_PLUGIN_COMMANDS: Final = {
    *("squeue", "sacct", "scontrol", "sbatch", "scancel", "sinfo", "sacctmgr", "sh"),
}
# An end that the plugin takes for a running job.
_END_UNKNOWN_TO_PLUGIN: Final = "PREEMPTED"


@dataclass
class Watch:
    """Tells whether a Snakemake process stays silent while none of its jobs is queued or running.

    Parameters
    ----------
    pid
        The process.
    logs
        Folder of Snakemake's logs.
    names
        Names of the Slurm jobs of the run.
    patience
        Seconds of silence after which it counts as hung. Snakemake may look at its jobs only every
        180 s, and may sleep as long before it exits, so this has to be longer.
    """

    pid: int
    logs: Path
    names: list[str]
    patience: float
    _written: float = 0.0
    _quiet_since: float | None = None
    _failed_queries: list[float] = field(default_factory=list)
    _ends: dict[str, SlurmJob] = field(default_factory=dict)

    def hung(self) -> bool:
        """Look once; return whether the process has been silent for longer than `patience`."""
        now = time.monotonic()
        try:
            jobs = queue(self.names)
        except ClusterError:
            self._failed_queries.append(time.time())
            self._quiet_since = None
            return False
        self._ends |= {job.id: job for job in jobs if not job.alive}
        if any(job.alive for job in jobs) or self._runs_local_job() or self._has_written():
            self._quiet_since = None
            return False
        self._quiet_since = self._quiet_since or now
        return now - self._quiet_since > self.patience

    def _runs_local_job(self) -> bool:
        """Return whether the process runs a job on this machine."""
        try:
            children = psutil.Process(self.pid).children(recursive=True)
            return any(child.name() not in _PLUGIN_COMMANDS for child in children)
        except psutil.Error:
            return False

    def _has_written(self) -> bool:
        """Return whether the process has written to its log since the last look."""
        newest = max((path.stat().st_mtime for path in self._own_logs()), default=0.0)
        before, self._written = self._written, newest
        return newest > before

    def _own_logs(self) -> list[Path]:
        """Return the logs that the process has open: another run of the clone has its own."""
        try:
            opened = {Path(one.path) for one in psutil.Process(self.pid).open_files()}
        except psutil.Error:  # it has just ended
            return []
        return [path for path in self.logs.glob("*.log") if path.resolve() in opened]

    def cause(self) -> str:
        """Return why the process hangs, as far as that can be determined."""
        preempted = [job.id for job in self._ends.values() if job.state == _END_UNKNOWN_TO_PLUGIN]
        if preempted:
            return (
                f"Slurm jobs {', '.join(preempted)} ended as PREEMPTED (PreemptMode=CANCEL), "
                "which Snakemake's Slurm plugin takes for still running"
            )
        if self._failed_queries:
            first, last = (_clock(self._failed_queries[at]) for at in (0, -1))
            return (
                f"the Slurm controller did not answer from {first} to {last}, and Snakemake's "
                "Slurm plugin lost sight of its jobs"
            )
        if not self.names or not works("sinfo", "--noheader"):
            return "Slurm does not answer"
        return (
            "its jobs ended, but it did not notice; without Slurm accounting, "
            "slurm-status-command has to be squeue in the profile"
        )


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))
