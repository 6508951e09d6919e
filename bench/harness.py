"""Interleaved timing, the machine's peak, and results as files: what all benchmarks share."""

import argparse
import json
import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch.utils.flop_counter import FlopCounterMode

from bench.gpu import gpu_facts

RESULTS = Path(__file__).resolve().parent / "results"
# How a training step is called: its memory grows in the first calls, which are not timed, and each
# turn makes several, as training does.
STEPS: Final[dict[str, Any]] = {"untimed": 4, "calls": 3}
THREADS = int(os.environ.get("BENCH_THREADS", "2"))

Device = Literal["cpu", "cuda"]
# Makes, in a process of its own, the work that is timed; it has to be picklable.
Setup = Callable[[], Callable[[], Any]]


class Bench(NamedTuple):
    """How a benchmark runs.

    Attributes
    ----------
    rounds
        Turns of each candidate.
    device
        Of the work.
    tiny
        Whether sizes are so small that only the benchmark itself is tested.
    results
        Folder of the results; those of a GPU go into its folder ``gpu``.
    """

    rounds: int
    device: Device = "cpu"
    tiny: bool = False
    results: Path = RESULTS

    @classmethod
    def from_arguments(cls, description: str | None, rounds: int) -> "Bench":
        """Read the command line; `rounds` is the default."""
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("rounds", nargs="?", type=int, default=rounds)
        parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
        parser.add_argument("--tiny", action="store_true", help="test the benchmark itself")
        parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER")
        return cls(**vars(parser.parse_args()))


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


class Turn(NamedTuple):
    """One turn of a candidate.

    Attributes
    ----------
    seconds
        The time of a call.
    result
        What the last call returned.
    peak_memory
        The most that its process held so far beyond its imported libraries, in bytes; on a GPU,
        the most that its tensors took of the GPU's memory.
    """

    seconds: float
    result: Any
    peak_memory: int


class Comparison(NamedTuple):
    """The calls of each candidate in each round, A B C A B C: a busy machine slows all alike."""

    turns: dict[str, list[Turn]]

    def ratio(self, slow: str, fast: str) -> Quartiles:
        """Return how many times as long `slow` took in the same round."""
        pairs = zip(self.turns[slow], self.turns[fast], strict=True)
        return Quartiles.of([long.seconds / short.seconds for long, short in pairs])

    def median(self, name: str) -> float:
        """Return a candidate's median time in seconds."""
        return Quartiles.of([turn.seconds for turn in self.turns[name]]).median

    def results(self, name: str) -> list[Any]:
        """Return what a candidate returned in each round."""
        return [turn.result for turn in self.turns[name]]

    def cell(
        self, rival: str, ours: str = "ours", *, target: float | None = None, scale: float = 1.0
    ) -> dict[str, Any]:
        """Return the entry of a result's ``cells``; `scale` times the rival's work is ours."""
        return {
            "target": target,
            "ratio": [scale * value for value in self.ratio(rival, ours)],
            "rounds": len(self.turns[ours]),
            "seconds": {rival: scale * self.median(rival), "ours": self.median(ours)},
            "peak_memory_bytes": {
                "rival": self.turns[rival][-1].peak_memory,
                "ours": self.turns[ours][-1].peak_memory,
            },
        }


def compare(
    candidates: Mapping[str, Setup],
    rounds: int,
    *,
    untimed: int = 1,
    calls: int = 1,
    device: Device = "cpu",
) -> Comparison:
    """Time candidates in turn, round by round.

    Each lives in a process of its own, as it would for its user: what one leaves in the memory
    allocator neither helps nor hinders another.

    Parameters
    ----------
    candidates
        What makes each.
    rounds
        Turns of each.
    untimed
        Calls of each before its first turn.
    calls
        Of a turn.
    device
        Of the work. A time on a GPU ends when all of its work is done.
    """
    context = multiprocessing.get_context("spawn")
    turns: dict[str, list[Turn]] = {name: [] for name in candidates}
    with ExitStack() as stack:
        ends = {}
        for name, setup in candidates.items():
            ends[name], end = context.Pipe()
            task = (end, setup, untimed, calls, device)
            worker = context.Process(target=_serve, args=task, daemon=True)
            worker.start()
            end.close()
            stack.callback(worker.join)
            stack.callback(ends[name].close)
        for end in ends.values():
            end.recv()
        for _ in range(rounds):
            for name, end in ends.items():
                end.send(None)
                turns[name].append(end.recv())
    return Comparison(turns)


def _serve(end: Connection, setup: Setup, untimed: int, calls: int, device: Device) -> None:
    """Make a candidate and take a turn for each message, until the other end closes."""
    torch.set_num_threads(THREADS)
    use_all_bits()
    libraries = own_memory("VmRSS")
    forget_peak()
    with threadpool_limits(THREADS), end:
        work = setup()
        for _ in range(untimed):
            work()
        end.send(None)
        while True:
            try:
                end.recv()
            except EOFError:
                return
            wait(device)
            start = time.perf_counter()
            for _ in range(calls):
                result = work()
            wait(device)
            seconds = (time.perf_counter() - start) / calls
            peak = own_memory("VmHWM") - libraries if device == "cpu" else gpu_peak()
            end.send(Turn(seconds, result, peak))


def wait(device: Device) -> None:
    """Wait until a GPU has done all that it was asked to do."""
    if device == "cuda":
        torch.cuda.synchronize()


def gpu_peak() -> int:
    """Return the most bytes of the GPU's memory that tensors of this process have taken."""
    return int(torch.cuda.max_memory_allocated())


def use_all_bits() -> None:
    """Turn TF32 off, which PyTorch allows in convolutions: rivals compute as exactly as ours."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def fastest(candidate: Callable[[], object], rounds: int, device: Device = "cpu") -> float:
    """Return the least seconds of a call in this process, after one that is not timed."""
    candidate()
    return min(timed(candidate, device) for _ in range(rounds))


def timed(candidate: Callable[[], object], device: Device = "cpu") -> float:
    """Return the seconds of one call."""
    wait(device)
    start = time.perf_counter()
    candidate()
    wait(device)
    return time.perf_counter() - start


def peak_flops(device: Device = "cpu", repeats: int = 7) -> float:
    """Return the floating-point operations per second of a large float32 product, at best."""
    torch.set_num_threads(THREADS)
    use_all_bits()
    size = 2048 if device == "cpu" else 8192
    matrix = torch.randn(size, size, device=device)
    return 2 * size**3 / min(timed(lambda: matrix @ matrix, device) for _ in range(repeats))


def counted_flops(candidate: Callable[[], object]) -> int:
    """Return the floating-point operations of products and convolutions in one call."""
    with FlopCounterMode(display=False) as counter:
        candidate()
    return int(counter.get_total_flops())


def own_memory(field: Literal["VmRSS", "VmHWM"]) -> int:
    """Return the resident memory of this process, now or at its peak, in bytes.

    Linux's own figures: what `getrusage` tells is not less than the peak of the parent process.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024


def forget_peak() -> None:
    """Let VmHWM count from what is resident now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def write_result(name: str, result: Mapping[str, Any], bench: Bench | None = None) -> None:
    """Write ``<name>.json`` with the machine that it was measured on, and print it.

    Parameters
    ----------
    name
        Of the benchmark.
    result
        ``cells``: per case an entry of `Comparison.cell`, with ``floor_gap`` where there is one;
        ``cost``: per size that grows alone the seconds of each; and whatever else is worth keeping.
    bench
        How it ran; on a CPU, if it does not say.
    """
    bench = bench or Bench(rounds=1)
    machine = {
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "threads": THREADS,
        "torch": str(torch.__version__),
        "load": round(os.getloadavg()[0], 1),
        **(gpu_facts() if bench.device == "cuda" else {}),
    }
    folder = bench.results / "gpu" if bench.device == "cuda" else bench.results
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**result, "machine": machine}, indent=2)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(text)
