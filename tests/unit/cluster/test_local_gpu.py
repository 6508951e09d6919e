"""How many GPUs this machine has for jobs, and how many jobs they take without an option."""

from types import SimpleNamespace

import pytest

from cactus.cluster.local_gpu import limit_gpus, visible_gpus
from cactus.train import given_gpu


@pytest.fixture
def devices(tmp_path, monkeypatch):
    """Put devices into a folder that stands in for /dev."""
    monkeypatch.setattr(given_gpu, "DEVICES", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def put(*names):
        for name in names:
            (tmp_path / name).touch()

    return put


@pytest.mark.parametrize(
    ("names", "chosen", "expected"),
    [
        ((), None, 0),
        ((), "0", 0),
        (("nvidiactl", "nvidia-uvm"), None, 0),
        (("nvidia0", "nvidia1", "nvidiactl"), None, 2),
        (("nvidia0", "nvidia1"), "1", 1),
        (("nvidia0", "nvidia1"), "1, 0", 2),
        (("nvidia0",), "MIG-a,MIG-b", 2),
        (("nvidia0", "nvidia1"), "", 0),
        (("nvidia0", "nvidia1"), "-1", 0),
        (("nvidia0", "nvidia1"), "0,-1,1", 1),
    ],
)
def test_gpus_are_devices_that_this_process_may_use(names, chosen, expected, devices, monkeypatch):
    devices(*names)
    if chosen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert visible_gpus() == expected


@pytest.mark.parametrize(
    ("gpus", "given", "expected"),
    [(0, {}, {"_cores": 8}), (2, {}, {"_cores": 8, "gpu": 6}), (2, {"gpu": 1}, {"_cores": 8})],
)
def test_an_option_goes_before_the_number_of_gpus(gpus, given, expected, devices):
    devices(*(f"nvidia{number}" for number in range(gpus)))
    scheduler = SimpleNamespace(global_resources={"_cores": 8}, resources={"_cores": 8})
    limit_gpus(SimpleNamespace(global_resources=given, scheduler=scheduler), 3)
    assert scheduler.global_resources == scheduler.resources == expected
