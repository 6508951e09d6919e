"""The environment of the process that submits jobs, which Slurm passes on to them."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any, Final

from cactus.cluster.clients import KEPT, misleading
from cactus.errors import ConfigError
from cactus.provenance.staleness.places import refuse, standing

SNAKEMAKE: Final = Path(".snakemake")
_GPUS: Final = "CACTUS_GPUS"
_KEPT_CONF: Final = "CACTUS_SLURM_CONF"
# After this time, a call of sbatch counts as lost; Slurm may have accepted its job.
_SUBMISSION_SECONDS: Final = 300
# What an enclosing job, or the user's shell, has been given; Slurm gives each job its own.
_DEVICES: Final = ("CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES")


def gpus_of_jobs(device: str) -> int:
    """Return how many GPUs a training asks for, and tell profiles, which read the variable, too.

    A value set by the user wins: 1 requests a GPU even for a study on CPUs.

    Raises
    ------
    ConfigError
        The user's value is neither 0 nor 1.
    """
    given = os.environ.get(_GPUS, "").strip() or ("0" if device == "cpu" else "1")
    if given not in ("0", "1"):
        raise ConfigError(
            "An environment variable is not valid.",
            where=_GPUS,
            got=given[:100],
            fix="set it to 1 if trainings request a GPU, to 0 if they do not, or unset it",
        )
    os.environ[_GPUS] = given
    return int(given)


def check_place(clone: Path) -> None:
    """Check that Snakemake can work with the path of a clone.

    Raises
    ------
    ConfigError
        It has braces, which Snakemake takes for wildcards in the path of an environment.
    RecordError
        Something is in the place of the folder in which Snakemake keeps its own files.
    OSError
        That folder cannot be made.
    """
    refuse(standing([SNAKEMAKE]))
    SNAKEMAKE.mkdir(exist_ok=True)  # Snakemake would fail with a traceback
    if {*"{}"} & {*str(clone)}:
        raise ConfigError(
            "Snakemake cannot work in a folder with braces in its path.",
            where="the folder of the project",
            got=str(clone),
            fix="move or rename it, so that its path has neither { nor }",
        )


def read_environment(workflow: Any, jobs_per_gpu: int) -> None:
    """Tell profiles how many jobs may share a GPU, and Snakemake how many jobs its GPUs take.

    ``--resources gpu=...`` counts GPUs, but each job asks for one unit of ``gpu``. Keep SLURM_CONF,
    which Snakemake's Slurm plugin deletes if it starts inside a Slurm job.

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
    if "SLURM_CONF" in os.environ:
        os.environ[_KEPT_CONF] = os.environ["SLURM_CONF"]


def clean_environment(executor: Any, tools: Path) -> None:
    """Drop the variables that would change what the plugin's calls of Slurm do, and report them.

    Parameters
    ----------
    executor
        The plugin's executor.
    tools
        A folder that all nodes see, for a program that jobs run.
    """
    if _KEPT_CONF in os.environ:
        os.environ["SLURM_CONF"] = os.environ.pop(_KEPT_CONF)
        # Inside jobs, where Snakemake's plugin drops SLURM_CONF, srun must find slurm.conf.
        _install(tools, "srun", f"SLURM_CONF={shlex.quote(os.environ['SLURM_CONF'])} exec")
    else:  # of an earlier call, with a file that may have gone
        (tools / "srun").unlink(missing_ok=True)
    _install(tools, "sbatch", f"exec timeout --kill-after=10 {_SUBMISSION_SECONDS}")
    if tools.is_dir():
        os.environ["PATH"] = f"{tools.absolute()}{os.pathsep}{os.environ['PATH']}"
    dropped = misleading(os.environ)
    for name in (*dropped, *_DEVICES):
        os.environ.pop(name, None)
    if dropped:
        print(
            f"note: this run ignores {', '.join(dropped)}: they would change what Slurm's commands "
            "do or print; the profile (slurm/config.yaml) says what its jobs request",
            file=sys.stderr,
        )
    if kept := sorted(name for name in KEPT & os.environ.keys() if name.startswith("SBATCH_")):
        print(f"note: jobs follow {', '.join(kept)} where the profile is silent", file=sys.stderr)
    if "SBATCH_ACCOUNT" in os.environ:
        executor._fallback_account_arg = ""  # otherwise the plugin guesses one, which would win


def _install(tools: Path, name: str, start: str) -> None:
    """Put a program into the folder of tools that calls one of Slurm's, after words of shell."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    others = [one for one in folders if one != str(tools.absolute())]
    real = shutil.which(name, path=os.pathsep.join(others))
    if real is None:
        return
    tools.mkdir(parents=True, exist_ok=True)
    draft = tools / f".{name}.{os.getpid()}"
    draft.write_text(f'#!/bin/sh\n{start} {shlex.quote(real)} "$@"\n', encoding="utf-8")
    draft.chmod(0o755)
    draft.replace(tools / name)
