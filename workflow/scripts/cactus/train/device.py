"""The device that PyTorch computes on, and what decides the bits of its results."""

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

import torch

from cactus.config.base import Precision
from cactus.errors import ConfigError

DeviceName = Literal["auto", "cpu", "cuda"]

# Parameters of mallopt in glibc's malloc.h: the thresholds as large as it takes for sure, the pad
# larger than two heaps of a thread (64 MiB each), or else it unmaps each heap that becomes empty.
_TRIM_THRESHOLD: Final = (-1, 2**31 - 1)
_TOP_PAD: Final = (-2, 2**28)
_MMAP_THRESHOLD: Final = (-3, 2**30)


def set_up_device(name: DeviceName, threads: int, *, deterministic: bool) -> torch.device:
    """Choose the device and set PyTorch's process-wide switches; call it once, at the start.

    Float32 stays float32: TF32, which would shorten the mantissa to 10 bits, is off.

    Parameters
    ----------
    name
        "auto" takes a GPU where there is one.
    threads
        CPU threads. Results on a CPU repeat bit for bit at the same number only.
    deterministic
        Use only deterministic GPU kernels. A CPU needs no such switch.

    Raises
    ------
    ConfigError
        "cuda" is asked for and there is no usable GPU.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ConfigError(
            "There is no usable CUDA device.",
            where="compute.device",
            got="cuda",
            fix="set it to auto or cpu, or install a driver that this PyTorch supports",
        )
    torch.set_num_threads(threads)
    if name == "cpu" or not available:
        set_up_allocator()
        return torch.device("cpu")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    if deterministic:
        # cuBLAS reads this when it starts; without it, deterministic mode refuses to multiply.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return torch.device("cuda")


def require_gpu(device: torch.device, key: str, value: str) -> None:
    """Refuse a setting that has a meaning on a GPU only.

    Parameters
    ----------
    device
        The device at hand.
    key, value
        The configuration key and its value.

    Raises
    ------
    ConfigError
        The device is no GPU.
    """
    if device.type != "cuda":
        raise ConfigError(
            "A setting is for GPUs only.",
            where=key,
            got=f"{value}, on a {device.type.upper()}",
            fix="leave it at its default, or run where there is a GPU, with compute.device not cpu",
        )


def mixed_precision(device: torch.device, precision: Precision) -> torch.autocast:
    """Return the context of a forward pass; with bfloat16, convolutions and products are in it.

    Leave it before the backward pass and before weights move: it keeps their bfloat16 copies.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


def set_up_allocator() -> bool:
    """Let this process keep the memory that it frees, in huge pages; return whether it can keep it.

    glibc gives large blocks back to the system when they are freed. A training step on a CPU asks
    for the same blocks each time, and the system clears every page of them anew, which takes up to
    half of the step. Pages of 2 MiB spare a tenth of it. The results do not change. Call it before
    the first tensor is made.
    """
    # PyTorch reads this at its first allocation; a system without huge pages ignores it.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library than glibc
        return False
    return all(mallopt(*option) for option in (_MMAP_THRESHOLD, _TOP_PAD, _TRIM_THRESHOLD))


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread of the CPU, for operations too small for more.

    PyTorch's other threads, woken by any operation, spin for milliseconds after it, which takes a
    core from threads of our own.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def convolution_layout(device: torch.device) -> torch.memory_format:
    """Return the layout in which convolutions of float32 are fastest.

    On a CPU channels-last ones are up to 1.5 times as fast (bench/embedding_step.py); cuDNN's
    default is the other.
    """
    return torch.channels_last if device.type == "cpu" else torch.contiguous_format


def describe_device(device: torch.device) -> dict[str, Any]:
    """Return what decides the bits of results on `device`, as JSON values for a record."""
    description: dict[str, Any] = {
        "device": device.type,
        "machine": platform.machine(),
        "torch": str(torch.__version__),
        "threads": torch.get_num_threads(),
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
    }
    if device.type == "cuda":
        description["gpu"] = torch.cuda.get_device_name(device)
        description["cuda"] = torch.version.cuda
        description["cudnn"] = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return description
