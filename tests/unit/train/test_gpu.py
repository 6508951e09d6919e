"""A GPU that cannot be used stops a job, and never becomes the CPU in silence.

The states of the driver are faked: the tests run where there is no GPU.
"""

import json
import os
import subprocess
import sys
import warnings

import pytest
import torch

from cactus.errors import ConfigError
from cactus.train import given_gpu, gpu
from cactus.train.device import set_up_device
from cactus.train.given_gpu import expected_gpu
from cactus.train.gpu import least_used, usable_gpu

BUILT = ["sm_75", "sm_80", "sm_86", "sm_90", "compute_90"]
NAME = "Tesla V100-SXM2-32GB"
VARIABLES = (*given_gpu._BATCH_JOB, *given_gpu._GIVEN)


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fake(monkeypatch):
    """Return a function that fakes what PyTorch sees."""

    chosen = []

    def set_to(capability=None, built=BUILT, context=None, gpus=1):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: capability is not None)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: capability)
        monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: built)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: NAME)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(torch.cuda, "set_device", chosen.append)

        def zeros(*_, **__):
            if context is not None:
                raise context
            return torch.ones(1)

        monkeypatch.setattr(gpu.torch, "zeros", zeros)
        return chosen

    return set_to


@pytest.mark.parametrize("name", ["auto", "cuda"])
@pytest.mark.parametrize("batch", [{}, {"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "3"}])
def test_an_architecture_without_code_is_refused_by_name(name, batch, fake, monkeypatch):
    for variable, value in batch.items():
        monkeypatch.setenv(variable, value)
    fake(capability=(7, 0))
    with pytest.raises(ConfigError) as refused:
        set_up_device(name, 1, deterministic=True)
    number = batch.get("CUDA_VISIBLE_DEVICES", "0")
    assert f"GPU {number} ({NAME}, sm_70)" in refused.value.got
    assert "sm_75, sm_80" in refused.value.got


@pytest.mark.parametrize(
    ("capability", "built", "usable"),
    [
        ((7, 5), BUILT, True),
        ((8, 9), ["sm_80"], True),  # binary code runs on later minor versions
        ((8, 0), ["sm_86"], False),
        ((9, 0), ["sm_80"], False),
        ((10, 3), ["sm_90", "compute_90"], True),  # compiled when it is loaded
        ((6, 1), ["compute_70"], False),
        ((9, 0), ["sm_90a"], True),
        ((9, 1), ["sm_90a"], False),
        ((10, 3), ["sm_100f"], True),
        ((12, 0), ["sm_120"], True),
        ((12, 0), ["sm_12"], False),
        ((5, 0), [], True),  # unknown: the context decides
    ],
)
def test_code_runs_on_its_architecture(capability, built, usable, fake):
    fake(capability, built)
    if usable:
        assert usable_gpu("auto")
    else:
        with pytest.raises(ConfigError, match="architecture"):
            usable_gpu("auto")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB."),
        RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable"),
        AssertionError("Torch not compiled with CUDA enabled"),
    ],
)
def test_a_gpu_without_room_is_refused_with_the_cause(error, fake, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-0b0a-11")
    fake(capability=(9, 0), context=error)
    with pytest.raises(ConfigError) as refused:
        set_up_device("auto", 1, deterministic=True)
    assert f"GPU MIG-0b0a-11 ({NAME}, sm_90): {error}" in refused.value.got


@pytest.mark.parametrize("scheduler", ["SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID"])
@pytest.mark.parametrize("given", ["0", "7", "0,1", "GPU-8a1e", "MIG-0b0a-11"])
def test_a_batch_job_that_was_given_a_gpu_does_not_compute_without(
    scheduler, given, fake, monkeypatch
):
    monkeypatch.setenv(scheduler, "7")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    fake()
    with pytest.raises(ConfigError) as refused:
        set_up_device("auto", 1, deterministic=True)
    assert f"GPU {given}, but PyTorch" in refused.value.got
    assert "driver: not loaded" in refused.value.got or "NVRM" in refused.value.got
    assert set_up_device("cpu", 1, deterministic=True).type == "cpu"


def test_slurm_names_the_gpu_where_it_sets_no_variable_of_cuda(fake, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_STEP_GPUS", "2")
    fake()
    with pytest.raises(ConfigError, match="no usable CUDA device") as refused:
        usable_gpu("auto")
    assert "GPU 2, but" in refused.value.got


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"CUDA_VISIBLE_DEVICES": ""},
        {"CUDA_VISIBLE_DEVICES": "-1"},
        {"CUDA_VISIBLE_DEVICES": "-1,0"},
        {"SLURM_JOB_ID": "7", "SLURM_JOB_GPUS": "N/A"},
        {"SLURM_JOB_ID": "7"},
        {"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "", "SLURM_STEP_GPUS": "0"},
        {"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "NoDevFiles"},
    ],
)
def test_auto_does_without_a_gpu_that_nobody_was_given(variables, fake, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    fake()
    assert expected_gpu() == ""
    assert not usable_gpu("auto")
    with pytest.raises(ConfigError, match="no usable CUDA device"):
        usable_gpu("cuda")


@pytest.mark.parametrize(
    ("variables", "loaded", "said"),
    [
        ({"CUDA_VISIBLE_DEVICES": "0"}, False, "GPU 0, but PyTorch"),
        ({"CUDA_VISIBLE_DEVICES": " 1,0 "}, True, "GPU 1,0, but PyTorch"),
        ({}, True, "NVIDIA's driver, but PyTorch"),
    ],
)
def test_auto_does_not_do_without_a_gpu_that_should_be_there(
    variables, loaded, said, fake, monkeypatch, tmp_path
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    driver = tmp_path / "version"
    if loaded:
        driver.write_text("NVRM version: 470.1\n")
        (tmp_path / "nvidia0").touch()
    for module in (given_gpu, gpu):
        monkeypatch.setattr(module, "DRIVER", driver)
    monkeypatch.setattr(given_gpu, "DEVICES", tmp_path)
    fake()
    with pytest.raises(ConfigError, match="no usable CUDA device") as refused:
        usable_gpu("auto")
    assert said in refused.value.got
    assert ("driver: NVRM version: 470.1" if loaded else "driver: not loaded") in refused.value.got
    assert refused.value.where == "compute.device: auto"


@pytest.mark.parametrize(
    ("variables", "device"),
    [({"CUDA_VISIBLE_DEVICES": ""}, True), ({"SLURM_JOB_ID": "7"}, True), ({}, False)],
)
def test_a_driver_alone_gives_no_gpu_to_who_has_none(
    variables, device, fake, monkeypatch, tmp_path
):
    driver = tmp_path / "version"
    driver.write_text("NVRM version: 470.1\n")
    if device:
        (tmp_path / "nvidia0").touch()
    monkeypatch.setattr(given_gpu, "DEVICES", tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for module in (given_gpu, gpu):
        monkeypatch.setattr(module, "DRIVER", driver)
    fake()
    assert not usable_gpu("auto")


def test_what_cuda_says_of_its_driver_is_passed_on(fake, monkeypatch):
    def old_driver():
        warnings.warn("The NVIDIA driver on your system is too old (found 11040).", stacklevel=1)
        return False

    fake()
    monkeypatch.setattr(torch.cuda, "is_available", old_driver)
    with pytest.raises(ConfigError) as refused:
        usable_gpu("cuda")
    assert "too old (found 11040)" in refused.value.got


CHOOSE = """
import os, sys
from cactus.train.gpu import least_used
print(least_used(sys.argv[1:]), flush=True)
sys.stdin.read()
"""


class Chooser:
    """A process that takes a GPU and holds it until it is killed."""

    def __init__(self, *names):
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHOOSE, *names],
            env={"PYTHONPATH": "workflow/scripts"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.number = int(self.process.stdout.readline())

    def end(self):
        self.process.kill()
        self.process.communicate()


def test_processes_spread_over_the_gpus_and_take_the_place_of_a_killed_one():
    names = [f"GPU-{os.getpid()}-{letter}" for letter in "ab"]
    running = []
    try:
        for expected in (0, 1, 0):
            running.append(Chooser(*names))
            assert running[-1].number == expected
        running[1].end()
        running.append(Chooser(*names))
        assert running[-1].number == 1
        # One that sees the same GPUs in another order takes the less used one, too.
        assert least_used(names[::-1]) == 0
    finally:
        for one in running:
            one.end()


def test_jobs_without_a_scheduler_choose_among_the_visible_gpus(fake, monkeypatch):
    names = [f"GPU-{os.getpid()}-{letter}" for letter in "xyz"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(names))
    held = least_used(names[:1])
    chosen = fake(capability=(9, 0), gpus=3)
    assert held == 0
    assert usable_gpu("auto")
    assert usable_gpu("auto")
    assert chosen == [1, 2]


def test_a_single_gpu_is_used_without_a_choice(fake, monkeypatch):
    monkeypatch.setattr(gpu, "least_used", lambda _: pytest.fail("there is no choice"))
    assert fake(capability=(9, 0)) == []
    assert usable_gpu("auto")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_the_check_from_another_process_is_one_line_of_json():
    command = [sys.executable, "-m", "cactus.train.gpu"]
    told = [
        subprocess.run(
            [*command, name],
            env={"PYTHONPATH": "workflow/scripts"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in ("cuda", "auto")
    ]
    assert json.loads(told[0])["where"] == "compute.device: cuda"
    assert told[1] == ""
