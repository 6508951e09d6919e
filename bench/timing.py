"""Interleaved timing, the machine's peak, and results as files: what all benchmarks share."""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).resolve().parent / "results"
THREADS = int(os.environ.get("BENCH_THREADS", "2"))
Quartiles = tuple[float, float, float]


@dataclass(frozen=True)
class Comparison:
    """Candidates timed in turn, A B C A B C, so that a busy machine slows all of them alike.

    Attributes
    ----------
    seconds
        Each candidate's wall time in each round.
    """

    seconds: dict[str, list[float]]

    def median(self, name: str) -> float:
        """Return a candidate's median time in seconds."""
        return statistics.median(self.seconds[name])

    def ratio(self, slow: str, fast: str) -> Quartiles:
        """Return the quartiles of how many times as long `slow` took in the same round."""
        pairs = zip(self.seconds[slow], self.seconds[fast], strict=True)
        ratios = sorted(one / other for one, other in pairs)
        if len(ratios) == 1:
            return (ratios[0],) * 3
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return low, middle, high


def compare(candidates: Mapping[str, Callable[[], object]], rounds: int) -> Comparison:
    """Run every candidate once to warm up, then all of them in turn for a number of rounds."""
    for run in candidates.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, run in candidates.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return Comparison(seconds)


def peak_flops(size: int = 2048, rounds: int = 5) -> float:
    """Return the floating-point operations per second of the best float32 matrix product."""
    one, other = torch.randn(size, size), torch.randn(size, size)
    runs = compare({"product": lambda: one @ other}, rounds)
    return float(2 * size**3 / min(runs.seconds["product"]))


def peak_memory(script: str, *arguments: str) -> int:
    """Return the peak resident memory of a script run alone, in bytes."""
    code = f"import resource, runpy, sys; sys.argv = {[script, *arguments]!r}\n"
    code += f"runpy.run_path({script!r}, run_name='__main__')\n"
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(run.stdout.split()[-1])


def own_peak_memory() -> int:
    """Return the peak resident memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def write_result(name: str, result: Mapping[str, Any]) -> None:
    """Write ``results/<name>.json`` with the machine that it was measured on, and print it."""
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
