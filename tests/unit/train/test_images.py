import numpy as np
import torch

from cactus.train.images import resident_images

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(0).integers(0, 256, (9, 4, 5, 3), dtype=np.uint8)


def test_resident_images_are_a_copy_of_read_only_input(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    resident = resident_images(mapped, CPU)
    assert resident.dtype == torch.uint8
    np.testing.assert_array_equal(resident.numpy(), IMAGES)


def test_images_beyond_one_chunk_are_transformed_too():
    images = np.random.default_rng(0).integers(0, 256, (2500, 2, 3, 1), dtype=np.uint8)
    resident = resident_images(images, CPU, lambda chunk: chunk.flatten(1)[:, 1:])
    np.testing.assert_array_equal(resident.numpy(), images.reshape(2500, 6)[:, 1:])
