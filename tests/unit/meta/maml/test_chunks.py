import threading

import pytest
import torch

from cactus.meta.maml.chunks import ChunkPool, chunk_size
from tests.unit.meta.tiny import CPU

CUDA = torch.device("cuda")
OMNIGLOT, MINIIMAGENET = 20 * 32 * 14 * 14 * 4, 5 * 32 * 84 * 84 * 4


@pytest.mark.parametrize(
    ("tasks", "size", "device", "threads", "expected"),
    [
        (8, OMNIGLOT, CPU, 2, 4),
        (8, OMNIGLOT, CPU, 8, 1),
        (8, MINIIMAGENET, CPU, 2, 1),
        (1000, OMNIGLOT // 4, CPU, 2, 16),
        (8, MINIIMAGENET, CUDA, 2, 59),
        (1000, OMNIGLOT // 4, CUDA, 2, 64),  # of the 428 that the memory would hold
    ],
)
def test_auto_chooses_by_size_device_and_threads(tasks, size, device, threads, expected):
    assert chunk_size("auto", tasks, size, device, threads) == expected


def test_a_configured_number_is_kept():
    assert chunk_size(3, 8, MINIIMAGENET, CPU, 2) == 3


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_parts_share_the_threads_and_keep_their_order():
    meet = threading.Barrier(2, timeout=60)

    def work(chunk):
        meet.wait()
        return chunk, torch.get_num_threads()

    assert ChunkPool().map(work, [1, 2, 3, 4], CPU) == [(1, 1), (2, 1), (3, 1), (4, 1)]
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_a_single_part_keeps_all_threads():
    assert ChunkPool().map(lambda chunk: (chunk, torch.get_num_threads()), [7], CPU) == [(7, 2)]


@pytest.mark.usefixtures("two_threads")
def test_an_error_in_a_part_is_raised_and_the_threads_come_back():
    def fail(chunk):
        raise ValueError(chunk)

    with pytest.raises(ValueError, match="1"):
        ChunkPool().map(fail, [1, 2], CPU)
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_threads_are_kept_until_their_number_changes():
    meet, threads = threading.Barrier(2, timeout=60), ChunkPool()

    def work(_):
        meet.wait()
        return threading.get_ident(), torch.get_num_threads()

    first, again = ({*threads.map(work, [1, 2], CPU)} for _ in range(2))
    assert first == again
    assert len(first) == 2
    torch.set_num_threads(4)
    assert {each for _, each in threads.map(work, [1, 2], CPU)} == {2}
