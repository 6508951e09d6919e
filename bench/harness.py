"""Interleaved timing, the machine's peak, and results as files: what all benchmarks share."""

import json
import os
import platform
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

RESULTS = Path(__file__).resolve().parent / "results"
THREADS = int(os.environ.get("BENCH_THREADS", "2"))


class Quartiles(NamedTuple):
    """Lower quartile, median and upper quartile."""

    lower: float
    median: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Quartiles":
        """Return the quartiles of values."""
        return cls(*(float(value) for value in np.quantile(values, [0.25, 0.5, 0.75])))

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.lower:.2f}, {self.upper:.2f}]"


class Comparison(NamedTuple):
    """Seconds of each candidate in each round, A B C A B C: a busy machine slows all alike."""

    seconds: dict[str, list[float]]

    def ratio(self, slow: str, fast: str) -> Quartiles:
        """Return how many times as long `slow` took in the same round."""
        pairs = zip(self.seconds[slow], self.seconds[fast], strict=True)
        return Quartiles.of([long / short for long, short in pairs])

    def median(self, name: str) -> float:
        """Return a candidate's median time in seconds."""
        return Quartiles.of(self.seconds[name]).median


def compare(candidates: Mapping[str, Callable[[], object]], rounds: int) -> Comparison:
    """Time candidates in turn, round by round, after one call of each that is not timed."""
    for candidate in candidates.values():
        candidate()
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, candidate in candidates.items():
            seconds[name].append(timed(candidate))
    return Comparison(seconds)


def timed(candidate: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    start = time.perf_counter()
    candidate()
    return time.perf_counter() - start


def peak_flops(size: int = 2048, repeats: int = 7) -> float:
    """Return the floating-point operations per second of a large float32 product, at best."""
    matrix = torch.randn(size, size)
    return 2 * size**3 / min(timed(lambda: matrix @ matrix) for _ in range(repeats))


def counted_flops(candidate: Callable[[], object]) -> int:
    """Return the floating-point operations of products and convolutions in one call."""
    with FlopCounterMode(display=False) as counter:
        candidate()
    return counter.get_total_flops()


def own_peak_memory() -> int:
    """Return the peak resident memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def write_result(name: str, result: Mapping[str, Any]) -> None:
    """Write ``results/<name>.json`` with the machine that it was measured on, and print it.

    Parameters
    ----------
    result
        ``cells``: per case its ``ratio`` (quartiles) and ``target``; ``cost``: per size that grows
        alone the seconds of each; ``peak_memory_bytes``; and whatever else is worth keeping.
    """
    machine = {
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
        "load": round(os.getloadavg()[0], 1),
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({**result, "machine": machine}, indent=2)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(text)
