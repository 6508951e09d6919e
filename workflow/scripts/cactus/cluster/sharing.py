"""Jobs that share a GPU, with or without Slurm."""

import os
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
