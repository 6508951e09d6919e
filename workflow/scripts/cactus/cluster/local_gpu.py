"""A GPU of this machine, checked before the first job of a run without a cluster."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from cactus.errors import CodeError, ConfigError

_SCRIPTS: Final = Path(__file__).resolve().parents[2]


def check_gpu(device: str) -> None:
    """Check that jobs on this machine can use a GPU, if the configuration requires one.

    Parameters
    ----------
    device
        ``compute.device`` of the configuration.

    Raises
    ------
    ConfigError
        A GPU is required and cannot be used.
    """
    if device != "cuda":
        return
    # In a process of its own: it imports PyTorch, and its context takes memory of the GPU.
    done = subprocess.run(
        [sys.executable, "-m", "cactus.train.gpu", device],
        env={**os.environ, "PYTHONPATH": str(_SCRIPTS)},
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
