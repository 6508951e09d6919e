"""Settings of the device and its threads."""

from typing import Literal

from cactus.config.base import Count, Settings, setting


class ComputeSettings(Settings):
    """Where and how PyTorch computes; all of it is recorded with each result."""

    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto", "Device of training and evaluation; `auto` takes a GPU where there is one."
    )
    threads: Count = setting(
        2, "Threads of each job; results on a CPU are repeated bit for bit at the same number."
    )
    deterministic: bool = setting(
        True, "Use only deterministic GPU kernels, at some cost in speed; a CPU run needs no such."
    )
