"""The GPUs of this machine, checked and shared out before the first job without a cluster."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from cactus.errors import CodeError, ConfigError
from cactus.train.given_gpu import device_count, expected_gpu

_SCRIPTS: Final = Path(__file__).resolve().parents[2]


def visible_gpus() -> int:
    """Return how many GPUs of NVIDIA's this process may use, without asking the driver."""
    there = device_count()
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if not there or chosen is None:
        return there
    names = [name.strip() for name in chosen.split(",")]
    # CUDA ignores what follows a name that is none.
    return next((at for at, name in enumerate(names) if name in ("", "-1")), len(names))


def limit_gpus(workflow: Any, jobs_per_gpu: int) -> None:
    """Let no more jobs compute on this machine's GPUs at once than may share them.

    The option ``--resources gpu=...`` decides, if it is given. Without GPUs there is no limit:
    jobs that ask for one compute on the CPU.

    Parameters
    ----------
    workflow
        Snakemake's workflow, before its first job.
    jobs_per_gpu
        How many jobs may share a GPU.
    """
    gpus = visible_gpus()
    if gpus and "gpu" not in workflow.global_resources:
        scheduler = workflow.scheduler
        for table in (scheduler.global_resources, scheduler.resources):
            table["gpu"] = gpus * jobs_per_gpu


def check_gpu(device: str) -> None:
    """Check that jobs on this machine can use a GPU, if they should.

    Parameters
    ----------
    device
        ``compute.device`` of the configuration.

    Raises
    ------
    ConfigError
        A GPU is required, or should be there, and cannot be used.
    """
    if device == "cpu" or (device == "auto" and not expected_gpu()):
        return
    paths = [str(_SCRIPTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    # In a process of its own: it imports PyTorch, and its context takes memory of the GPU.
    done = subprocess.run(
        [sys.executable, "-m", "cactus.train.gpu", device],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CodeError(
            "The GPU cannot be checked.",
            where="compute.device",
            got=" ".join(done.stderr.splitlines()[-1:]) or f"exit code {done.returncode}",
            fix="install the locked libraries with `make setup`",
        )
    if done.stdout.strip():
        raise ConfigError(**json.loads(done.stdout.splitlines()[-1]))
