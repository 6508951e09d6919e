import pytest
import torch

from cactus.errors import TrainingError
from cactus.train.generators import global_states, set_global_states

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _global_generator_as_before():
    with torch.random.fork_rng():
        yield


def test_the_global_generator_continues_as_it_would_have():
    states = global_states(CPU)
    expected = torch.rand(5)
    torch.rand(100)
    set_global_states(states, CPU)
    assert torch.equal(torch.rand(5), expected)


def test_states_of_another_type_of_device_are_refused():
    states = {"cpu": torch.get_rng_state(), "cuda": torch.zeros(16, dtype=torch.uint8)}
    with pytest.raises(TrainingError, match="another type of device") as caught:
        set_global_states(states, CPU)
    assert caught.value.got == "saved on cuda, now on cpu"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_generator_of_a_gpu_continues_as_it_would_have():
    device = torch.device("cuda")
    states = global_states(device)
    expected = torch.rand(5, device=device)
    torch.rand(100, device=device)
    set_global_states(states, device)
    assert torch.equal(torch.rand(5, device=device), expected)
