"""Settings of the device and its threads."""

from typing import Literal

from typing_extensions import override

from cactus.config.sections.base import Count, Settings, setting


class ComputeSettings(Settings):
    """Where and how PyTorch computes; every value is recorded with each result."""

    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto",
        "Device for training and evaluation; `auto` uses a GPU if there is one. Where there "
        "should be one, a job stops if it cannot use it: a scheduler gave it one, "
        "`CUDA_VISIBLE_DEVICES` names one, or NVIDIA's driver is loaded.",
    )
    threads: Count = setting(
        2,
        "Threads of each job. Results on a CPU are bit-for-bit reproducible only with the same "
        "number.",
    )
    deterministic: bool = setting(
        True, "Use only deterministic GPU kernels, at some cost in speed; not needed on a CPU."
    )

    @property
    @override
    def unread(self) -> frozenset[str]:
        return frozenset({"deterministic"} if self.device == "cpu" else ())
