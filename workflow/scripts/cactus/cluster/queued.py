"""The Slurm jobs of a run, matched to jobs of the workflow."""

import os
from pathlib import Path
from typing import Final, NamedTuple

from cactus.cluster.driver import job_names
from cactus.cluster.slurm import SlurmJob, queue
from cactus.config.models import Config
from cactus.errors import ClusterError, counted
from cactus.graph import Graph
from cactus.stages.base import Job


class QueuedJob(NamedTuple):
    """A Slurm job and the workflow job it runs; None if the run no longer has that job."""

    slurm: SlurmJob
    job: Job | None

    def __str__(self) -> str:
        name = self.job.name if self.job else self.slurm.comment
        return f"{name}: Slurm job {self.slurm.id}, {self.slurm.state.lower()}"


def queued_jobs(config: Config, run_folder: Path) -> list[QueuedJob]:
    """Return the pending and running Slurm jobs of a run, in the order of submission.

    Raises
    ------
    ClusterError
        The controller does not answer.
    """
    alive = [job for job in queue(job_names(run_folder)) if job.alive]
    known = {_comment(job): job for job in Graph(config).jobs}
    ordered = sorted(alive, key=lambda job: int(job.id.partition("_")[0]))
    return [QueuedJob(job, known.get(job.comment)) for job in ordered]


# Set by `cactus run`: the ids of the Slurm jobs whose work its Snakemake leaves out.
ADOPTED: Final = "CACTUS_ADOPTED"


def refuse_orphans(config: Config, run_folder: Path) -> None:
    """Check that no Slurm job of an earlier driver is still working on the run, unless adopted.

    Otherwise two jobs could work on one cell, or one could repeat what another just finished.

    Raises
    ------
    ClusterError
        There are such jobs, or the controller does not answer.
    """
    adopted = os.environ.get(ADOPTED, "").split()
    orphans = [one for one in queued_jobs(config, run_folder) if one.slurm.id not in adopted]
    if orphans:
        shown = "; ".join(map(str, orphans[:5])) + ("; ..." if len(orphans) > 5 else "")
        identities = " ".join(orphan.slurm.id for orphan in orphans)
        raise ClusterError(
            "Slurm jobs of an earlier Snakemake process are still working on this run.",
            where=str(run_folder),
            got=f"{counted(len(orphans), 'job')}: {shown}",
            fix="start the run with `cactus run`, which lets them finish and does the rest, "
            f"or cancel them with `scancel {identities}`: they resume from their checkpoints",
        )


def _comment(job: Job) -> str:
    """Return the comment that Snakemake's Slurm plugin gives a job."""
    values = "_".join(job.wildcards.values())
    return f"rule_{job.stage}_wildcards_{values}" if values else f"rule_{job.stage}"
