"""The device that PyTorch computes on, and the settings that results depend on bit for bit."""

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

import torch

from cactus.config.sections.base import Precision
from cactus.errors import ConfigError
from cactus.train.gpu import usable_gpu

DeviceName = Literal["auto", "cpu", "cuda"]

# Parameters of mallopt in glibc's malloc.h: the thresholds at the largest value that is always
# accepted, and the pad larger than two heaps of a thread (64 MiB each), because otherwise glibc
# unmaps each heap that becomes empty.
_TRIM_THRESHOLD: Final = (-1, 2**31 - 1)
_TOP_PAD: Final = (-2, 2**28)
_MMAP_THRESHOLD: Final = (-3, 2**30)


def set_up_device(name: DeviceName, threads: int, *, deterministic: bool) -> torch.device:
    """Choose the device and set PyTorch's process-wide options; call it once, at the start.

    TF32, which would shorten the mantissa of float32 to 10 bits, is off.

    Parameters
    ----------
    name
        "auto" uses a GPU if there is one, and has to if a batch job was given one.
    threads
        CPU threads. On a CPU, only the same number gives the same results bit for bit.
    deterministic
        Use only deterministic GPU kernels; not needed on a CPU.

    Raises
    ------
    ConfigError
        A GPU was asked for, or is there, but cannot be used.
    """
    torch.set_num_threads(threads)
    if name == "cpu" or not usable_gpu(name):
        set_up_allocator()
        return torch.device("cpu")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    if deterministic:
        # cuBLAS reads this when it starts; deterministic matrix products need it.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        # As `use_deterministic_algorithms(True)`, which would load PyTorch's compiler, too.
        torch.set_deterministic_debug_mode("error")
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return torch.device("cuda")


def require_gpu(device: torch.device, key: str, value: str) -> None:
    """Reject the value of a configuration key that only works on a GPU.

    Raises
    ------
    ConfigError
        The device is not a GPU.
    """
    if device.type != "cuda":
        raise ConfigError(
            "A setting is for GPUs only.",
            where=key,
            got=f"{value}, on a {device.type.upper()}",
            fix="leave it at its default, or run where there is a GPU, with compute.device not cpu",
        )


def mixed_precision(device: torch.device, precision: Precision) -> torch.autocast:
    """Return the context of a forward pass; bfloat16 applies to convolutions and matrix products.

    Leave it before the backward pass and before weights change: it caches bfloat16 copies of them.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


def set_up_allocator() -> bool:
    """Let this process keep the memory that it frees, in huge pages; return whether it can.

    glibc returns large blocks to the system when they are freed. A training step on a CPU asks for
    the same blocks each time, and the system clears every page again, which takes up to half of
    the step. Pages of 2 MiB save a tenth of it. Results do not change. Call it before the first
    tensor is created.
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
    """Compute on one CPU thread, for operations too small for more.

    Any operation wakes PyTorch's other threads, which then spin for milliseconds and take a core
    from our own threads.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def convolution_layout(
    device: torch.device, precision: Precision = "float32"
) -> torch.memory_format:
    """Return the memory layout for convolutions.

    On a CPU, channels-last is up to 1.5 times as fast (bench/embedding_step.py). On a GPU, cuDNN's
    kernels for float32 without TF32 work on contiguous tensors, those of tensor cores, which
    bfloat16 runs on, on channels-last ones; either would convert the other (not measured).
    """
    on_cpu = device.type == "cpu"
    return torch.channels_last if on_cpu or precision == "bfloat16" else torch.contiguous_format


def describe_device(device: torch.device) -> dict[str, Any]:
    """Return what the bits of results on `device` depend on, as JSON values for a record."""
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
