"""A training on a device that is killed ends with the bits of one that is not."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kills.faults import Fault
from tests.kills.nursery import Nursery
from tests.kills.trainers import GRAPHED, TRAINERS, train, write_data

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as warm:
        yield warm


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in (folder / "output").iterdir()}


@pytest.mark.parametrize("name", TRAINERS)
def test_a_killed_training_ends_with_the_same_bits(name, device, nursery, data, tmp_path):
    for folder in ("whole", "killed"):
        fault = Fault("step", 9) if folder == "killed" else None
        how = {"every": 7, "device": device.type}
        code, printed = nursery.train(name, data, tmp_path / folder, fault=fault, **how)
        assert code == (-signal.SIGKILL if fault else 0), printed
    code, printed = nursery.train(name, data, tmp_path / "killed", **how)
    assert code == 0, printed
    assert json.loads((tmp_path / "killed/resumed.json").read_text()) == [7]
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_a_training_by_a_graph_resumes_with_the_same_bits(device, data, tmp_path):
    train(GRAPHED, data, tmp_path, every=7, device=device.type)
    first = contents(tmp_path)
    train(GRAPHED, data, tmp_path, every=7, device=device.type)
    assert json.loads((tmp_path / "resumed.json").read_text()) == [7]
    assert contents(tmp_path) == first
