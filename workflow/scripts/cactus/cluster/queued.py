"""The Slurm jobs of a run, with the jobs of the workflow that they stand for."""

from pathlib import Path
from typing import NamedTuple

from cactus.cluster.heads import job_names
from cactus.cluster.slurm import SlurmJob, queue
from cactus.config.models import Config
from cactus.errors import ClusterError
from cactus.graph import Graph
from cactus.stages.base import Job


class QueuedJob(NamedTuple):
    """A Slurm job, and the job of the workflow that it does; None if that is not known any more."""

    slurm: SlurmJob
    job: Job | None

    def __str__(self) -> str:
        name = self.job.name if self.job else self.slurm.comment
        return f"{name}: Slurm job {self.slurm.id}, {self.slurm.state.lower()}"


def queued_jobs(config: Config, run_folder: Path) -> list[QueuedJob]:
    """Return the Slurm jobs of a run that wait or run, in the order in which they were submitted.

    Raises
    ------
    ClusterError
        The controller does not answer.
    """
    alive = [job for job in queue(job_names(run_folder)) if job.alive]
    known = {_comment(job): job for job in Graph(config).jobs}
    ordered = sorted(alive, key=lambda job: int(job.id.partition("_")[0]))
    return [QueuedJob(job, known.get(job.comment)) for job in ordered]


def refuse_orphans(config: Config, run_folder: Path) -> None:
    """Check that no Slurm job of an earlier Snakemake process still works on the run.

    Two jobs would then work on one cell, or one would do again what the other has just done.

    Raises
    ------
    ClusterError
        There are such jobs.
    """
    orphans = queued_jobs(config, run_folder)
    if orphans:
        shown = "; ".join(map(str, orphans[:5])) + ("; ..." if len(orphans) > 5 else "")
        identities = " ".join(orphan.slurm.id for orphan in orphans)
        raise ClusterError(
            "Slurm jobs of an earlier Snakemake process still work on this run.",
            where=str(run_folder),
            got=f"{len(orphans)} jobs: {shown}",
            fix="start the run by `cactus run`, which lets them finish and goes on with the rest, "
            f"or end them by `scancel {identities}`: they resume from their checkpoints",
        )


def _comment(job: Job) -> str:
    """Return the comment that Snakemake's Slurm plugin gives to a job."""
    values = "_".join(job.wildcards.values())
    return f"rule_{job.stage}_wildcards_{values}" if values else f"rule_{job.stage}"
