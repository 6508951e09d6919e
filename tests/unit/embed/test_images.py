from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cactus.embed.images import (
    center_crops,
    fit_square,
    random_crops,
    random_resized_crops,
    signed_range,
    square_images,
    unit_range,
    write_picture,
)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _noise(*shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


@pytest.mark.parametrize("background", [0, 255])
def test_small_images_are_padded_with_their_border(background: int) -> None:
    images = torch.full((2, 1, 28, 28), background, dtype=torch.uint8)
    images[:, :, 10:18, 10:18] = 100
    padded = fit_square(images, 32)
    assert torch.equal(padded[:, :, 2:30, 2:30], images)
    assert (padded[:, :, :2] == background).all()
    assert (padded[:, :, :, 30:] == background).all()


def test_large_images_are_shrunk_as_pillow_does() -> None:
    images = _noise(2, 3, 84, 84)
    shrunk = fit_square(images, 64).permute(0, 2, 3, 1).numpy().astype(int)
    for image, actual in zip(images.permute(0, 2, 3, 1).numpy(), shrunk, strict=True):
        expected = Image.fromarray(image).resize((64, 64), Image.Resampling.BILINEAR)
        assert np.abs(np.asarray(expected).astype(int) - actual).max() <= 1


def test_oblong_images_keep_their_shape() -> None:
    image = torch.zeros(1, 1, 40, 20, dtype=torch.uint8)
    image[:, :, :20] = 200
    fitted = fit_square(image, 20)
    assert fitted.shape == (1, 1, 20, 20)
    assert (fitted[:, :, :9] == 200).all()
    assert (fitted[:, :, 11:] == 0).all()


def test_same_size_is_left_alone() -> None:
    images = _noise(2, 3, 16, 16)
    assert torch.equal(fit_square(images, 16), images)


def test_square_images_are_read_from_a_read_only_map(tmp_path: Path) -> None:
    images = _noise(1500, 8, 8, 1).numpy()
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    resident = square_images(mapped, 8, torch.device("cpu"))
    assert resident.dtype == torch.uint8
    np.testing.assert_array_equal(resident.permute(0, 2, 3, 1).numpy(), images)


def test_ranges() -> None:
    images = torch.tensor([0, 51, 255], dtype=torch.uint8)
    torch.testing.assert_close(unit_range(images), torch.tensor([0, 0.2, 1]))
    torch.testing.assert_close(signed_range(images), torch.tensor([-1, -0.6, 1]))


def test_random_crops_are_windows_at_all_places() -> None:
    images = torch.arange(36).reshape(1, 1, 6, 6).expand(400, 2, 6, 6)
    crops = random_crops(images, 4, _generator())
    corners = crops[:, 0, 0, 0]
    assert set(corners.tolist()) == {6 * y + x for y in range(3) for x in range(3)}
    window = torch.arange(4)[:, None] * 6 + torch.arange(4)
    assert torch.equal(crops, corners[:, None, None, None] + window.expand(400, 2, 4, 4))


def test_whole_size_is_no_crop() -> None:
    images = _noise(3, 1, 6, 6)
    assert torch.equal(random_crops(images, 6, _generator()), images)
    assert torch.equal(center_crops(images, 6), images)


def test_centre_crop() -> None:
    images = torch.arange(36).reshape(1, 1, 6, 6)
    assert center_crops(images, 2).flatten().tolist() == [14, 15, 20, 21]


def test_resized_crop_of_everything_is_the_image() -> None:
    images = torch.rand(4, 3, 12, 12, generator=_generator())
    crops = random_resized_crops(
        images, 12, area_min=1.0, ratio_max=1.0, flip=False, generator=_generator()
    )
    torch.testing.assert_close(crops, images, atol=1e-5, rtol=0)


def test_half_of_the_crops_are_mirrored() -> None:
    images = torch.linspace(0, 1, 12).expand(400, 1, 12, 12)
    crops = random_resized_crops(
        images, 12, area_min=1.0, ratio_max=1.0, flip=True, generator=_generator()
    )
    mirrored = crops[:, 0, 0, 0] > crops[:, 0, 0, -1]
    assert 160 < mirrored.sum() < 240
    torch.testing.assert_close(crops[mirrored], images[mirrored].flip(3), atol=1e-5, rtol=0)


def test_crops_keep_area_and_ratio_within_bounds() -> None:
    ramp = torch.linspace(-1, 1, 64)
    images = torch.stack([ramp.expand(64, 64), ramp[:, None].expand(64, 64)])
    crops = random_resized_crops(
        images.expand(500, 2, 64, 64),
        32,
        area_min=0.25,
        ratio_max=4 / 3,
        flip=False,
        generator=_generator(),
    )
    width = (crops[:, 0, 0, -1] - crops[:, 0, 0, 0]) / 2 * 32 / 31
    height = (crops[:, 1, -1, 0] - crops[:, 1, 0, 0]) / 2 * 32 / 31
    area, ratio = width * height, width / height
    assert 0.22 < area.min() < 0.35
    assert 0.9 < area.max() <= 1.05
    assert 0.7 < ratio.min() < 0.8
    assert 1.25 < ratio.max() < 1.4
    assert (width <= 1.02).all()


def test_crops_depend_on_the_generator_only() -> None:
    images = torch.rand(4, 1, 8, 8, generator=_generator())

    def crops(seed: int) -> torch.Tensor:
        return random_resized_crops(
            images, 8, area_min=0.1, ratio_max=2, flip=True, generator=_generator(seed)
        )

    assert torch.equal(crops(1), crops(1))
    assert not torch.equal(crops(1), crops(2))


def test_picture_shows_pixels_in_their_places(tmp_path: Path) -> None:
    red = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None].expand(1, 3, 28, 28)
    gray = torch.full((2, 3, 28, 28), 0.2)
    write_picture([gray, red], tmp_path / "picture.png")
    picture = np.asarray(Image.open(tmp_path / "picture.png"))
    assert picture.shape == (2 * 58 + 2, 2 * 58 + 2, 3)
    assert (picture[2:58, 60:116] == 51).all()
    assert (picture[60:116, 2:58] == [255, 0, 0]).all()
    assert (picture[60:116, 60:116] == 128).all()
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]
