"""Whether the GPU that a job was given can be used: its driver, architecture and memory.

``python -m cactus.train.gpu NAME`` prints the error as JSON, if there is one.
"""

import errno
import json
import os
import re
import socket
import sys
import warnings
from collections.abc import Sequence
from itertools import count
from typing import Literal

import torch

from cactus.errors import ConfigError
from cactus.train.given_gpu import DRIVER, expected_gpu


def usable_gpu(name: Literal["auto", "cuda"]) -> bool:
    """Return whether there is a GPU to compute on.

    Parameters
    ----------
    name
        "auto" does without one if nothing says that there should be one.

    Raises
    ------
    ConfigError
        A GPU was asked for, or is there, but cannot be used.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if available:
        number = _choose_gpu()
        _check_architecture(number)
        _check_context(number)
        return True
    expected = expected_gpu()
    if name == "cuda" or expected:
        said = " ".join(" ".join(str(one.message).split()) for one in caught)
        driver = DRIVER.read_text().splitlines()[0] if DRIVER.exists() else "not loaded"
        raise ConfigError(
            "There is no usable CUDA device.",
            where=f"compute.device: {name}",
            got=f"{expected or 'no GPU'}, but PyTorch {torch.__version__} sees "
            f"none; NVIDIA's driver: {driver}{f'; {said}' if said else ''}",
            fix="set it to cpu, or run where there is a GPU with a driver that this PyTorch "
            "supports; CUDA_VISIBLE_DEVICES must name a GPU of this machine",
        )
    return False


def _choose_gpu() -> int:
    """Make the GPU current that this process computes on, and return its number."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return torch.cuda.current_device()
    gpus = torch.cuda.device_count()
    if gpus < 2:
        return 0
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = chosen.split(",")[:gpus] if chosen else [str(number) for number in range(gpus)]
    number = least_used(names)
    torch.cuda.set_device(number)
    return number


def least_used(names: Sequence[str]) -> int:
    """Return which GPU the fewest processes of this machine have taken here; take it.

    Each takes the first free place of a GPU, an address of a local socket that Linux frees when
    the process ends, however it ends.

    Parameters
    ----------
    names
        Of the GPUs, the same in all processes.
    """
    for place in count():
        for number, name in enumerate(names):
            address = socket.socket(socket.AF_UNIX)
            try:
                address.bind(f"\0cactus GPU {name} {place}")
            except OSError as error:
                address.close()
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                address.detach()  # it stays open for as long as the process lives
                return number
    raise AssertionError("there is always another place")


def _check_architecture(number: int) -> None:
    """Check that this PyTorch has code for the GPU."""
    built = torch.cuda.get_arch_list()
    capability = torch.cuda.get_device_capability(number)
    if torch.version.hip or not built or any(_runs(one, capability) for one in built):
        return
    raise ConfigError(
        "The GPU's architecture is not supported by this PyTorch.",
        where="compute.device",
        got=f"{_visible(number)}; PyTorch {torch.__version__} is built for {', '.join(built)}",
        fix="set it to cpu, use another GPU, or install a PyTorch that is built for this one",
    )


def _runs(built: str, capability: tuple[int, int]) -> bool:
    """Return whether code for an architecture, such as sm_90 or compute_90, runs on a GPU."""
    found = re.fullmatch(r"(sm|compute)_(\d+)(\d)([af]?)", built)
    if found is None:
        return True  # of another kind, which this check knows nothing about
    major, minor = int(found[2]), int(found[3])
    if found[4] == "a":
        return (major, minor) == capability
    if found[1] == "compute":  # compiled when it is loaded
        return (major, minor) <= capability
    return major == capability[0] and minor <= capability[1]


def _check_context(number: int) -> None:
    """Check that the GPU computes, which another process may prevent."""
    try:
        torch.zeros(1, device="cuda").add_(1).item()
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            "The GPU cannot be used.",
            where="compute.device",
            got=f"{_visible(number)}: {' '.join(str(error).split())[:300]}",
            fix="see with `nvidia-smi` whether other processes fill it, choose another one with "
            "CUDA_VISIBLE_DEVICES, or set compute.device to cpu",
        ) from error


def _visible(number: int) -> str:
    major, minor = torch.cuda.get_device_capability(number)
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    name = chosen.split(",")[number] if chosen else number
    return f"GPU {name} ({torch.cuda.get_device_name(number)}, sm_{major}{minor})"


if __name__ == "__main__":
    try:
        usable_gpu("cuda" if sys.argv[1] == "cuda" else "auto")
    except ConfigError as refusal:
        facts = {"what": refusal.what, "where": refusal.where, "got": refusal.got}
        print(json.dumps({**facts, "fix": refusal.fix}))
