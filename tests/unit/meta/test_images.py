import numpy as np
import torch

from cactus.meta.images import gather, gather_tasks, to_device
from tests.unit.meta.tiny import CPU

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 4, 5, 3), dtype=np.uint8)


def test_gather_scales_to_one_and_puts_channels_first():
    result = gather(torch.from_numpy(IMAGES), torch.tensor([3, 1]), torch.float64)
    np.testing.assert_allclose(result, IMAGES[[3, 1]].transpose(0, 3, 1, 2) / 255, rtol=1e-15)


def test_gathered_tasks_lie_side_by_side_in_the_channels():
    indices = torch.tensor([[0, 1], [2, 3], [4, 5]])
    result = gather_tasks(torch.from_numpy(IMAGES), indices, torch.float64)
    assert result.shape == (2, 9, 4, 5)
    for task in range(3):
        expected = IMAGES[indices[task]].transpose(0, 3, 1, 2) / 255
        np.testing.assert_allclose(result[:, 3 * task : 3 * task + 3], expected, rtol=1e-15)


def test_indices_of_any_stride_and_type_arrive():
    indices = np.arange(6, dtype=np.int32)[::-2]
    assert to_device(indices, CPU).tolist() == [5, 3, 1]
