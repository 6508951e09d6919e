"""Slurm's commands, run without the variables that change what they print."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import Final

from cactus.errors import ClusterError

# Seconds; a controller under load still answers within this time.
_TIMEOUT: Final = 60
# Defaults of a user for Slurm's commands, such as SQUEUE_PARTITION, and the facts of a Slurm job.
_SLURM: Final = re.compile(
    r"(SLURM|SBATCH|SALLOC|SRUN|SQUEUE|SINFO|SACCT|SACCTMGR|SCANCEL|SCONTROL|SSHARE|SPRIO)_"
)
# How to reach the cluster, and wishes of a user that the profile's keys override.
KEPT: Final = frozenset(
    {
        *("SLURM_CONF", "SLURM_JWT"),
        *("SBATCH_ACCOUNT", "SBATCH_CONSTRAINT", "SBATCH_QOS", "SBATCH_RESERVATION"),
    }
)


def misleading(environment: Mapping[str, str]) -> list[str]:
    """Return the variables that would change what Slurm's commands do or print."""
    return sorted(name for name in environment if _SLURM.match(name) and name not in KEPT)


def has_slurm() -> bool:
    """Return whether Slurm's commands are installed here."""
    return shutil.which("squeue") is not None


def run_slurm(*command: str) -> str:
    """Run a Slurm command and return its output.

    Raises
    ------
    ClusterError
        The command is not installed, fails, or the controller does not answer.
    """
    dropped = misleading(os.environ)
    environment = {name: text for name, text in os.environ.items() if name not in dropped}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_TIMEOUT,
        )
    except FileNotFoundError as error:
        raise ClusterError(
            "Slurm's commands are not installed on this machine.",
            where=command[0],
            got="no such program on PATH",
            fix="start the workflow on the cluster's login node, or run it here without "
            "`--profile slurm`, e.g. with `snakemake --cores 2`",
        ) from error
    except OSError as error:  # such as a limit on processes
        raise _no_answer(command, error.strerror or str(error)) from error
    except subprocess.TimeoutExpired as error:
        raise _no_answer(command, f"nothing within {_TIMEOUT} s") from error
    if done.returncode:
        raise _no_answer(command, " ".join(done.stderr.split()) or f"exit code {done.returncode}")
    return done.stdout


def _no_answer(command: tuple[str, ...], got: str) -> ClusterError:
    configured = os.environ.get("SLURM_CONF")
    return ClusterError(
        "Slurm does not answer as expected.",
        where=" ".join(command),
        got=got,
        fix="try the command by hand; `scontrol ping` shows whether the controller is up"
        + (f", and SLURM_CONF is {configured}" if configured else "")
        + (
            "; set SLURM_CONF to the path of slurm.conf"
            if "configuration source" in got or "slurm.conf" in got
            else ""
        ),
    )


def works(*command: str) -> bool:
    """Return whether a Slurm command succeeds."""
    try:
        run_slurm(*command)
    except ClusterError:
        return False
    return True
