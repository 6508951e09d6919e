import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from cactus.errors import ConfigError
from cactus.train.device import (
    convolution_layout,
    describe_device,
    one_thread,
    set_up_device,
)


@pytest.fixture
def _threads():
    """Two threads, so that a change to one shows also where tests run with one."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_threads")
def test_the_cpu_takes_the_number_of_threads():
    device = set_up_device("cpu", 1, deterministic=True)
    assert device.type == "cpu"
    assert torch.get_num_threads() == 1


@pytest.mark.usefixtures("_threads")
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_auto_is_the_cpu_and_cuda_an_error():
    assert set_up_device("auto", 1, deterministic=True).type == "cpu"
    with pytest.raises(ConfigError, match="CUDA"):
        set_up_device("cuda", 1, deterministic=True)


@pytest.mark.usefixtures("_threads")
def test_the_description_is_json():
    description = describe_device(torch.device("cpu"))
    assert json.loads(json.dumps(description)) == description
    assert description["threads"] == 2


@pytest.mark.gpu
@pytest.mark.usefixtures("_threads")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_keeps_all_bits_of_float32():
    assert set_up_device("auto", 1, deterministic=False).type == "cuda"
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_deterministic_kernels_are_chosen_without_loading_the_compiler():
    """On a GPU that is not there: what is set needs none."""
    script = """
import os, sys, torch
from cactus.train import device
device.usable_gpu = lambda name: True
before = set(sys.modules)
assert device.set_up_device("cuda", 1, deterministic=True).type == "cuda"
assert torch.are_deterministic_algorithms_enabled()
assert not torch.is_deterministic_algorithms_warn_only_enabled()
assert not torch.utils.deterministic.fill_uninitialized_memory
assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
print(*sorted(set(sys.modules) - before))
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": "workflow/scripts"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == []


@pytest.mark.parametrize(
    ("device", "precision", "layout"),
    [
        ("cpu", "float32", torch.channels_last),
        ("cuda", "float32", torch.contiguous_format),
        ("cuda", "bfloat16", torch.channels_last),
    ],
)
def test_the_layout_follows_device_and_precision(device, precision, layout):
    assert convolution_layout(torch.device(device), precision) == layout


@pytest.mark.usefixtures("_threads")
def test_one_thread_gives_the_others_back():
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    with suppress(ZeroDivisionError), one_thread():
        _ = 1 / 0
    assert torch.get_num_threads() == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("blocks", "threaded"), [([1 << 23], False), ([1 << 21] * 8, False), ([1 << 21] * 8, True)]
)
def test_freed_memory_is_kept_for_the_next_step(blocks, threaded):
    """Blocks of 16 or 64 MB are asked of the system once, not at every use."""
    script = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from cactus.train.device import set_up_allocator
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
kept = set_up_allocator() if sys.argv[1] == "keep" else False
def use(times):
    for _ in range(times):
        together = [np.ones(size) for size in BLOCKS]
        del together
def run(function, *values):
    return pool.submit(function, *values).result() if THREADED else function(*values)
with ThreadPoolExecutor(1) as pool:
    run(use, 2)
    before = faults()
    run(use, 5)
    print(kept, faults() - before)
""".replace("BLOCKS", str(blocks)).replace("THREADED", str(threaded))
    found = {}
    for mode in ("keep", "return"):
        run = subprocess.run(
            [sys.executable, "-c", script, mode],
            env={"PYTHONPATH": "workflow/scripts", "MALLOC_TRIM_THRESHOLD_": "131072"},
            capture_output=True,
            text=True,
            check=True,
        )
        found[mode] = run.stdout.split()
    if found["keep"][0] == "False":
        pytest.skip("the C library has no mallopt")
    assert int(found["keep"][1]) < int(found["return"][1]) / 10


def test_tensors_lie_in_huge_pages_where_the_system_has_them():
    switch = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not switch.exists() or "[never]" in switch.read_text():
        pytest.skip("the system gives no huge pages")
    script = """
import pathlib, torch
from cactus.train.device import set_up_device
set_up_device("cpu", 1, deterministic=False)
tensor = torch.ones(1 << 24)
(line,) = [one for one in pathlib.Path("/proc/self/smaps_rollup").read_text().splitlines()
           if one.startswith("AnonHugePages:")]
print(line.split()[1])
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": "workflow/scripts"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(run.stdout) >= 32 << 10  # KiB; of 64 MiB all but what a fragmented memory refuses
