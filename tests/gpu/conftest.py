"""What runs on a GPU, and on the CPU to test the tests: each test gets both devices in turn."""

from collections.abc import Iterator
from unittest import mock

import pytest
import torch

from cactus.meta.maml import cuda_graph
from cactus.meta.maml.learner import Maml
from cactus.train.device import set_up_device
from tests.unit.meta.graphs import capture_on_cpu


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> Iterator[torch.device]:
    """The device of a test, set up as for a job with deterministic kernels.

    On a CPU a CUDA graph is a stand-in that calls the function again.
    """
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    threads = torch.get_num_threads()
    there = set_up_device(request.param, 1, deterministic=True)
    if there.type == "cuda":
        yield there
    else:
        with (
            mock.patch.object(cuda_graph, "capture", capture_on_cpu),
            mock.patch.object(Maml, "check_device"),
        ):
            yield there
    torch.set_num_threads(threads)
