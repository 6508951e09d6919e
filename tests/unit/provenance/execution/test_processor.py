"""The processors of all attempts are recorded, and named where a replay differs."""

import json
from types import SimpleNamespace

import pytest
import torch

from cactus.provenance.execution import processor as module
from cactus.provenance.execution.processor import (
    note_processor,
    noted_processors,
    processor,
    processor_difference,
    unused_gpu,
)


def record(*processors, cpu=None):
    device = {"device": "cpu", "cpu": cpu} if cpu else None
    return SimpleNamespace(
        activity=SimpleNamespace(processors=[*processors]), agent=SimpleNamespace(device=device)
    )


AVX512 = {"attempt": 1, "model": "A", "torch": "AVX512", "openblas": "SkylakeX"}
AVX2 = {"attempt": 2, "model": "B", "torch": "AVX2", "openblas": "Haswell"}


def test_this_processor_is_described_by_the_sets_that_libraries_use():
    found = processor()
    assert found["torch"] == torch.backends.cpu.get_cpu_capability()
    assert found["model"]
    assert all(isinstance(value, str) for value in found.values())


def test_attempts_at_the_same_plan_are_kept(tmp_path, monkeypatch):
    note_processor(tmp_path, "old plan", 1)
    note_processor(tmp_path, "plan", 2)
    with next(tmp_path.iterdir()).open("a") as file:
        file.write('{"fingerprint": "plan", "cut\n[]\n')
    monkeypatch.setattr(module, "processor", lambda: {"torch": "NO AVX"})
    note_processor(tmp_path, "plan", 3)
    found = noted_processors(tmp_path, "plan")
    assert [one["attempt"] for one in found] == [2, 3]
    assert found[1] == {"attempt": 3, "torch": "NO AVX"}
    assert json.dumps(found)
    assert noted_processors(tmp_path / "none", "plan") == []


@pytest.mark.parametrize(
    ("recorded", "here", "expected"),
    [
        (record(AVX512), record(AVX512), ""),
        (
            record(AVX512), record(AVX2),
            "the processor's instruction set differs: recorded openblas SkylakeX, torch AVX512, "
            "here openblas Haswell, torch AVX2",
        ),
        (
            record(cpu="AVX512"), record(AVX2),
            "the processor's instruction set differs: recorded torch AVX512, here torch AVX2",
        ),
        (
            record(AVX512), record({**AVX512, "model": "C"}),
            "the processor differs: recorded A, here C",
        ),
        (
            record(AVX512, AVX2), record(AVX2),
            "the instruction set changed while it was recorded (its attempts ran on "
            "openblas Haswell, torch AVX2 and on openblas SkylakeX, torch AVX512)",
        ),
        (record(), record(), ""),
    ],
)  # fmt: skip
def test_a_difference_is_named(recorded, here, expected):
    assert processor_difference(recorded, here) == expected


def plan(device):
    return SimpleNamespace(spec={"compute": {"device": device}})


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize(
    ("device", "visible", "files", "expected"),
    [
        ("auto", None, ("nvidia0",), "no GPU is used: there is a device of NVIDIA, but PyTorch"),
        ("auto", None, (), ""),
        ("auto", "", ("nvidia0",), ""),
        ("cpu", "0", ("nvidia0",), ""),
    ],
)
def test_a_gpu_that_is_not_used_is_noted(device, visible, files, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_DEVICES", tmp_path)
    for name in files:
        (tmp_path / name).touch()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = unused_gpu(plan(device))
    assert found.startswith(expected)
    assert bool(found) is bool(expected)
    assert unused_gpu(SimpleNamespace(spec={})) == ""
