"""Interleaved timing of alternatives, the machine's peak and the files of results."""

import json
import platform
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

RESULTS = Path(__file__).parent / "results"
THREADS = 2


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
    """Seconds of each candidate in each round; candidates of a round ran one after the other."""

    seconds: dict[str, list[float]]

    def ratio(self, fast: str, slow: str) -> Quartiles:
        """Return how many times as long `slow` takes, over rounds."""
        pairs = zip(self.seconds[slow], self.seconds[fast], strict=True)
        return Quartiles.of([long / short for long, short in pairs])

    def quartiles(self, name: str) -> Quartiles:
        """Return the seconds of one candidate, over rounds."""
        return Quartiles.of(self.seconds[name])


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


def peak_memory(candidate: Callable[[], object]) -> int:
    """Return the bytes by which a call raises the resident memory at most (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    candidate()
    return _status("VmHWM") - before


def fitted_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return p of the least-squares fit of seconds by a constant times size to the power p."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def write_result(name: str, values: Mapping[str, Any]) -> None:
    """Write measurements, with the machine that they hold for, to ``bench/results``."""
    RESULTS.mkdir(exist_ok=True)
    machine = {
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    text = json.dumps({"name": name, "machine": machine, **values}, indent=2)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))
