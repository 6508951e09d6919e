"""Whether this process should find a GPU, as far as its environment tells without PyTorch."""

import os
from pathlib import Path
from typing import Final

_BATCH_JOB: Final = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")
_CHOSEN: Final = "CUDA_VISIBLE_DEVICES"
# Where a scheduler names the GPUs of a job, and what stands there if it has none.
_GIVEN: Final = (_CHOSEN, "SLURM_STEP_GPUS", "SLURM_JOB_GPUS")
_NOTHING: Final = ("", "-1", "NoDevFiles", "none", "void", "N/A", "(null)")
DRIVER: Final = Path("/proc/driver/nvidia/version")
DEVICES: Final = Path("/dev")


def expected_gpu() -> str:
    """Return why this process should find a GPU, in words; empty if nothing says so.

    In a batch job, the scheduler gave it one. Elsewhere, ``CUDA_VISIBLE_DEVICES`` names one, or, if
    that is not set, a driver is loaded and a device is there: a container without GPUs sees the
    driver of its host.
    """
    if any(name in os.environ for name in _BATCH_JOB):
        # The first that is set decides: `cactus replay` hides a job's GPUs with an empty one.
        chosen = next((os.environ[name] for name in _GIVEN if name in os.environ), "")
    elif _CHOSEN in os.environ:
        chosen = os.environ[_CHOSEN]
    else:
        return "NVIDIA's driver" if DRIVER.exists() and device_count() else ""
    # CUDA ignores what follows a name that is none.
    first = chosen.partition(",")[0].strip()
    return "" if first in _NOTHING else f"GPU {chosen.strip()}"


def device_count() -> int:
    """Return how many GPUs of NVIDIA's there are, without asking the driver."""
    return len(list(DEVICES.glob("nvidia[0-9]*")))
