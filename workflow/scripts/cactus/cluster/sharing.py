"""What jobs share: GPUs, with or without Slurm, and the processors of this machine."""

import os
import sys
from typing import Any


def share_gpus(workflow: Any, jobs_per_gpu: int) -> None:
    """Tell profiles how many jobs may share a GPU, and Snakemake how many jobs its GPUs take.

    ``--resources gpu=...`` counts GPUs, but each job asks for one unit of ``gpu``.

    Parameters
    ----------
    workflow
        Snakemake's workflow.
    jobs_per_gpu
        How many jobs may share a GPU.
    """
    os.environ["CACTUS_JOBS_PER_GPU"] = str(jobs_per_gpu)
    if "gpu" in workflow.global_resources:
        gpus = workflow.global_resources["gpu"].value
        workflow.register_resource("gpu", gpus * jobs_per_gpu)


def warn_of_threads(workflow: Any, threads: int) -> None:
    """Print a warning if a job here would have more threads than processors.

    Parameters
    ----------
    workflow
        Snakemake's workflow. With ``--jobs``, its jobs run elsewhere.
    threads
        Threads of a job.
    """
    processors = len(os.sched_getaffinity(0))
    if threads > processors and workflow.resource_settings.nodes is None:
        print(
            f"Warning: compute.threads is {threads}, but this machine has {processors} processors: "
            "the threads of a job will wait for each other.",
            file=sys.stderr,
        )
