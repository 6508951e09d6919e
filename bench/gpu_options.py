"""What options of a GPU change in the time of a step, and how many jobs share a GPU well.

CUDA graphs, deterministic kernels, the tasks of a MAML step computed together, bfloat16, and up to
16 trainings at once. On a CPU, the options that need a GPU are left out.
"""

import multiprocessing
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from unittest.mock import patch

import torch

from bench.embedding_step import CASES as EMBEDDINGS
from bench.embedding_step import step as embedding_step
from bench.harness import STEPS, THREADS, Bench, Setup, compare, use_all_bits, wait, write_result
from bench.maml_step import ours as maml_step
from bench.protonets_step import CELLS, TINY
from bench.protonets_step import ours as protonets_step
from cactus.train.device import convolution_layout

DEFAULT: Final = "as configured by default, but for deterministic: false"
# MAML's options, the first alone on a GPU.
GRAPHS: Final[dict[str, dict[str, Any]]] = {
    "cuda_graph": {"cuda_graph": True},
    "deterministic": {"deterministic": True},
    "deterministic and cuda_graph": {"deterministic": True, "cuda_graph": True},
}
TASKS: Final = (1, 2, 4, 8)
JOBS: Final = (1, 2, 4, 8, 16)
MPS: Final = "nvidia-cuda-mps-control"


def against_default(bench: Bench, candidates: Mapping[str, Setup]) -> dict[str, Any]:
    """Return, for each candidate, how many times as fast as the default it is."""
    runs = compare(candidates, bench.rounds, **STEPS, device=bench.device)
    others = (name for name in candidates if name != DEFAULT)
    return {name: runs.cell(DEFAULT, name) for name in others}


def maml(bench: Bench, case: str) -> dict[str, Any]:
    """Measure MAML's step with each option."""
    options = {f"tasks_at_once {n}": {"tasks_at_once": n} for n in TASKS[: 1 if bench.tiny else 4]}
    if bench.device == "cuda":
        options |= GRAPHS
    makers: dict[str, Setup] = {
        name: partial(maml_step, bench, case, **keys) for name, keys in options.items()
    }
    return against_default(bench, {DEFAULT: partial(maml_step, bench, case), **makers})


def protonets(bench: Bench) -> dict[str, dict[str, Any]]:
    """Measure ProtoNets' step in bfloat16."""
    found = {}
    for name, (cell, _) in (TINY if bench.tiny else CELLS).items():
        default = partial(protonets_step, bench, *cell)
        low = partial(protonets_step, bench, *cell, precision="bfloat16")
        found[name] = against_default(bench, {DEFAULT: default, "bfloat16": low})
    return found


def embedding(bench: Bench, name: str) -> dict[str, Any]:
    """Measure an embedding's step in bfloat16, in the layout that it is trained in."""
    device, makers = torch.device(bench.device), {}
    layouts = {
        "float32": convolution_layout(device),
        "bfloat16": convolution_layout(device, "bfloat16"),
    }
    for precision, layout in layouts.items():
        key = DEFAULT if precision == "float32" else precision
        makers[key] = partial(embedding_step, bench, name, layout, precision=precision)
    return against_default(bench, makers)


@contextmanager
def mps_daemon() -> Iterator[None]:
    """Run NVIDIA's MPS, by which the kernels of several processes share a GPU at the same time."""
    with tempfile.TemporaryDirectory(prefix="mps-") as folder:
        folders = dict.fromkeys(("CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY"), folder)
        with patch.dict(os.environ, folders):  # the trainings inherit them
            subprocess.run([MPS, "-d"], check=True)
            try:
                yield
            finally:
                subprocess.run([MPS], input="quit\n", text=True, check=True)


def _train(bench: Bench, steps: int, keys: Mapping[str, Any], barrier: Any) -> float:
    """Do steps once all are ready; return the seconds."""
    torch.set_num_threads(THREADS)
    use_all_bits()
    step = maml_step(bench, "omniglot, second order", **keys)
    for _ in range(STEPS["untimed"]):
        step()
    wait(bench.device)
    barrier.wait()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    wait(bench.device)
    return time.perf_counter() - start


def shared(bench: Bench, **keys: Any) -> dict[int, float]:
    """Return the steps a second of all trainings together, by how many run at once."""
    steps, context = 2 if bench.tiny else 100, multiprocessing.get_context("spawn")
    found = {}
    for jobs in JOBS[: 2 if bench.tiny else None]:
        with context.Manager() as manager, ProcessPoolExecutor(jobs, mp_context=context) as pool:
            barrier = manager.Barrier(jobs)
            tasks = [pool.submit(_train, bench, steps, keys, barrier) for _ in range(jobs)]
            found[jobs] = jobs * steps / max(task.result() for task in tasks)
    return found


def shared_by_option(bench: Bench) -> dict[str, dict[int, float]]:
    """Return what `shared` measures with each option that a GPU has for sharing."""
    found = {DEFAULT: shared(bench)}
    if bench.device == "cuda":
        found["cuda_graph"] = shared(bench, cuda_graph=True)
        if shutil.which(MPS):
            with mps_daemon():
                found["cuda_graph, through MPS"] = shared(bench, cuda_graph=True)
    return found


def main(bench: Bench) -> None:
    """Measure and write."""
    few = 1 if bench.tiny else None
    nets, methods = ("omniglot", "miniimagenet")[:few], EMBEDDINGS[:few]
    write_result(
        "gpu_options",
        {
            "what": "times as fast as a step with the default options, and steps of shared GPUs",
            "cells": {
                f"{kernel}, {option}": cell
                for kernel, options in {
                    **{f"maml {net}": maml(bench, f"{net}, second order") for net in nets},
                    **{f"protonets {net}": found for net, found in protonets(bench).items()},
                    **{name: embedding(bench, name) for name in methods},
                }.items()
                for option, cell in options.items()
            },
            "steps a second by jobs at once": shared_by_option(bench),
        },
        bench,
    )


if __name__ == "__main__":
    main(Bench.from_arguments(__doc__, rounds=7))
