"""The GPU that something was measured on."""

import subprocess
from pathlib import Path
from typing import Any, Final

import torch

_DRIVER: Final = Path("/proc/driver/nvidia/version")
# What nvidia-smi calls the clocks of the processor and of the memory, and what bounds the power.
_QUERIES: Final = {
    "driver": "driver_version",
    "clock_mhz": "clocks.sm",
    "largest_clock_mhz": "clocks.max.sm",
    "memory_clock_mhz": "clocks.mem",
    "power_limit_w": "power.limit",
}


def gpu_facts() -> dict[str, Any]:
    """Return the name of the GPU, its driver, clocks and libraries; what is unknown is None."""
    properties = torch.cuda.get_device_properties()
    return {
        "gpu": properties.name,
        "gpu_memory_bytes": properties.total_memory,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        **_asked(f"GPU-{properties.uuid}"),
    }


def _asked(uuid: str) -> dict[str, str | None]:
    """Return what nvidia-smi says of a GPU, with its units; without it, the driver's own line."""
    command = ["nvidia-smi", f"--id={uuid}", f"--query-gpu={','.join(_QUERIES.values())}"]
    try:
        done = subprocess.run(
            [*command, "--format=csv,noheader,nounits"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        line = _DRIVER.read_text(encoding="utf-8").splitlines()[0] if _DRIVER.exists() else None
        return {**dict.fromkeys(_QUERIES), "driver": line}
    values = (value.strip() for value in done.stdout.split(","))
    return dict(zip(_QUERIES, values, strict=True))


def absent_gpu() -> str:
    """Return, if there is no GPU to compute on, what was looked for and what was found; else ""."""
    if torch.cuda.is_available():
        return ""
    devices = sorted(path.name for path in Path("/dev").glob("nvidia[0-9]*"))
    driver = _DRIVER.read_text(encoding="utf-8").splitlines()[0] if _DRIVER.exists() else "none"
    return (
        f"there is no GPU: PyTorch {torch.__version__} (built for CUDA {torch.version.cuda}) sees "
        f"none; devices /dev/nvidia*: {', '.join(devices) or 'none'}; NVIDIA's driver: {driver}"
    )
