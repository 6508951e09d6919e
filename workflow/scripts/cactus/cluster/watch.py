"""Watches a Snakemake process for the silence in which it waits for jobs that are gone."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from cactus.cluster.slurm import SlurmJob, answers, queue
from cactus.errors import ClusterError

# What Snakemake's Slurm plugin starts and ends by itself; it is no work of the run.
_QUESTIONS: Final = {"squeue", "sacct", "scontrol", "sbatch", "scancel", "sinfo", "sacctmgr", "sh"}
_OVER_BUT_WAITED_FOR: Final = "PREEMPTED"


@dataclass
class Watch:
    """Tells when a Snakemake process is alive although nothing of its run is queued or running.

    Parameters
    ----------
    pid
        The process.
    logs
        Folder of Snakemake's own logs.
    names
        Names of the Slurm jobs of the run.
    patience
        Seconds of silence after which it is taken for hung. Snakemake looks at its jobs every 180
        seconds at the rarest, and sleeps as long before it ends, so this has to be longer.
    """

    pid: int
    logs: Path
    names: list[str]
    patience: float
    _written: float = 0.0
    _quiet_since: float | None = None
    _unheard: list[float] = field(default_factory=list)
    _ends: dict[str, SlurmJob] = field(default_factory=dict)

    def hung(self) -> bool:
        """Look once; return whether it has been silent for longer than is right."""
        now = time.monotonic()
        try:
            jobs = queue(self.names)
        except ClusterError:
            self._unheard.append(time.time())
            self._quiet_since = None
            return False
        self._ends |= {job.id: job for job in jobs if not job.alive}
        if any(job.alive for job in jobs) or self._works_itself() or self._has_written():
            self._quiet_since = None
            return False
        self._quiet_since = self._quiet_since or now
        return now - self._quiet_since > self.patience

    def _works_itself(self) -> bool:
        """Return whether it runs a job on this machine."""
        try:
            children = psutil.Process(self.pid).children(recursive=True)
            return any(child.name() not in _QUESTIONS for child in children)
        except psutil.Error:
            return False

    def _has_written(self) -> bool:
        """Return whether it has written to its log since the last look."""
        newest = max((path.stat().st_mtime for path in self.logs.glob("*.log")), default=0.0)
        before, self._written = self._written, newest
        return newest > before

    def cause(self) -> str:
        """Return what made it wait for ever, as far as can be told."""
        preempted = [job.id for job in self._ends.values() if job.state == _OVER_BUT_WAITED_FOR]
        if preempted:
            return (
                f"Slurm jobs {', '.join(preempted)} ended as PREEMPTED (PreemptMode=CANCEL), "
                "which Snakemake's Slurm plugin takes for still running"
            )
        if self._unheard:
            first, last = (time.strftime("%H:%M:%S", time.localtime(at)) for at in
                           (self._unheard[0], self._unheard[-1]))  # fmt: skip
            return (
                f"the Slurm controller did not answer from {first} to {last}, and Snakemake's "
                "Slurm plugin lost sight of its jobs"
            )
        if not self.names or not answers():
            return "Slurm does not answer"
        return (
            "its jobs ended, but it did not learn of it; without Slurm accounting, "
            "slurm-status-command has to be squeue in the profile"
        )
