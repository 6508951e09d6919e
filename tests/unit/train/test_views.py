"""Views against NumPy, SciPy and plain loops; each change alone, the others off."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from cactus.config.sections.embeddings.contrastive import ContrastiveViews
from cactus.train.views import blur, elastic_field, quarter_turns, random_views, recolor, turn_hue

OFF = {"rotation": 0, "scale": 0, "shear": 0, "shift": 0, "elastic": 0}
# A value that surely changes an image of noise.
CHANGES = {
    "rotation": 40,
    "scale": 0.3,
    "shear": 0.3,
    "shift": 0.2,
    "elastic": 0.1,
    "crop_area_min": 0.2,
    "jitter": 1.0,
    "grayscale": 1.0,
    "blur_sigma": 2.0,
}


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=_generator(9))


def _views(images: torch.Tensor, seed: int = 0, **keys) -> torch.Tensor:
    return random_views(images, ContrastiveViews(**{**OFF, **keys}), _generator(seed))


def _smooth(count: int, size: int) -> torch.Tensor:
    """Return images in which bilinear interpolation is nearly exact."""
    ramp = torch.linspace(0, 2, size)
    image = 0.5 + 0.25 * (3 * ramp[:, None]).sin() + 0.2 * (2 * ramp + ramp[:, None]).cos()
    return image.expand(count, 1, size, size)


@pytest.mark.parametrize("channels", [1, 3])
def test_views_without_changes_are_the_images(channels: int) -> None:
    images = _noise(5, channels, 13, 13)
    torch.testing.assert_close(_views(images), images, atol=1e-5, rtol=0)


@pytest.mark.parametrize("key", CHANGES)
def test_each_change_changes_and_depends_on_the_generator_alone(key: str) -> None:
    images = _noise(6, 3, 16, 16)
    keys = {key: CHANGES[key], "blur_probability": 1.0}
    first, again, other = (_views(images, seed, **keys) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert (first - images).abs().max() > 0.05
    if key != "grayscale":  # with probability 1, there is nothing to draw
        assert not torch.allclose(first, other, atol=1e-3)
    assert first.shape == images.shape
    assert 0 <= first.min() <= first.max() <= 1 + 1e-6


def test_views_of_one_image_differ() -> None:
    images = _noise(1, 1, 28, 28).expand(2, -1, -1, -1)
    first, second = random_views(images, ContrastiveViews(), _generator())
    assert not torch.allclose(first, second, atol=0.1)


def test_quarter_turns_are_turns_of_each_image() -> None:
    images = _noise(200, 2, 6, 6)
    turned = quarter_turns(images, _generator())
    counts = [0] * 4
    for image, result in zip(images, turned, strict=True):
        matches = [k for k in range(4) if torch.equal(torch.rot90(image, k, (1, 2)), result)]
        (match,) = matches
        counts[match] += 1
    assert min(counts) > 25


def test_rotation_by_a_quarter_is_rot90(monkeypatch) -> None:
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.ones(shape))
    images = _noise(2, 1, 8, 8)
    turned = _views(images, rotation=90)
    torch.testing.assert_close(turned, images.rot90(-1, (2, 3)), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("draw", "step"), [(1.0, 3), (0.0, -3), (5 / 6, 2)])
def test_integer_shift_is_roll_away_from_the_border(monkeypatch, draw: float, step: int) -> None:
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.full(shape, draw))
    images = _noise(2, 1, 20, 20)
    moved = _views(images, shift=3 / 20)
    rolled = images.roll((-step, -step), (2, 3))
    torch.testing.assert_close(moved[..., 3:-3, 3:-3], rolled[..., 3:-3, 3:-3], atol=1e-5, rtol=0)
    edge = images[..., -1, -1] if step > 0 else images[..., 0, 0]
    corner = moved[..., -1, -1] if step > 0 else moved[..., 0, 0]
    torch.testing.assert_close(corner, edge, atol=1e-5, rtol=0)


def test_affine_changes_are_those_of_scipy() -> None:
    """Undo shift, stretch, shear and rotation at each pixel, from the numbers that were drawn."""
    count, size, keys = 6, 31, {"rotation": 50, "scale": 0.3, "shear": 0.4, "shift": 0.1}
    images = _smooth(count, size)
    views = _views(images, seed=3, **keys)
    draws = 2 * torch.rand((6, count), generator=_generator(3)).double().numpy() - 1
    for image, view, (turn, slant, wide, high, x, y) in zip(images, views, draws.T, strict=True):
        angle = math.radians(50 * turn)
        rotate = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        slanted, stretch = (
            np.array([[1, 0.4 * slant], [0, 1]]),
            np.diag([1 + 0.3 * wide, 1 + 0.3 * high]),
        )
        back = np.linalg.inv(rotate @ slanted @ stretch)
        # SciPy's axes are rows and columns, ours x and y.
        swapped, center = back[::-1, ::-1], (size - 1) / 2
        offset = center - swapped @ [center, center] + 0.1 * size * np.array([y, x])
        expected = ndimage.affine_transform(
            image[0].double().numpy(), swapped, offset, order=1, mode="nearest"
        )
        np.testing.assert_allclose(view[0].numpy(), expected, atol=2e-5)


def test_crops_lie_within_the_image_and_may_be_mirrored() -> None:
    ramp = torch.linspace(0, 1, 24).expand(400, 1, 24, 24)
    crops = _views(ramp, crop_area_min=0.25, flip=True)
    spread = crops[:, 0, 0, -1] - crops[:, 0, 0, 0]
    assert 120 < (spread < 0).sum() < 280
    assert 0.4 < spread.abs().min() < 0.6
    whole = _views(ramp, flip=True)
    mirrored = whole[:, 0, 0, 0] > 0.5
    torch.testing.assert_close(whole[mirrored], ramp[mirrored].flip(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(whole[~mirrored], ramp[~mirrored], atol=1e-5, rtol=0)


def test_elastic_displacement_matches_its_strength() -> None:
    field = elastic_field(4000, 28, 0.09, _generator())
    assert field.shape == (4000, 28, 28, 2)
    knots = field[:, ::9, ::9]  # 4x4 points from corner to corner
    assert knots.std().item() == pytest.approx(0.09, rel=0.02)
    assert knots.abs().mean().item() == pytest.approx(0.09 * math.sqrt(2 / math.pi), rel=0.02)
    assert abs(knots.mean().item()) < 0.001
    assert (field[:, 1:] - field[:, :-1]).abs().max() < 0.09  # smooth between the knots


def test_elastic_field_moves_pixels_by_its_share_of_the_side() -> None:
    size = 40
    ramp = torch.arange(size).float()
    across = ramp.expand(3, 1, size, size)
    places = torch.cat([across, across.transpose(2, 3)], 1)
    moved = _views(places, seed=4, elastic=0.03)
    generator = _generator(4)
    torch.rand((6, 3), generator=generator)  # affine changes
    torch.rand((5, 3), generator=generator)  # crops
    field = elastic_field(3, size, 0.03, generator)
    expected = (places + size * field.permute(0, 3, 1, 2)).clamp(0, size - 1)
    torch.testing.assert_close(moved, expected, atol=1e-3, rtol=0)


def test_gray_images_are_gray_and_keep_their_mean() -> None:
    images = _noise(4, 3, 5, 5)
    gray = recolor(images, 0.0, 1.0, _generator())
    expected = images.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    torch.testing.assert_close(gray, expected)
    torch.testing.assert_close(recolor(images, 0.0, 0.0, _generator()), images)


def test_share_of_images_that_lose_their_colors_or_are_jittered() -> None:
    images = _noise(1, 3, 4, 4).expand(2000, -1, -1, -1)
    gray = recolor(images, 0.0, 0.3, _generator())
    lost = (gray[:, 0] - gray[:, 1]).abs().amax((1, 2)) < 1e-6
    assert 500 < lost.sum() < 700
    jittered = recolor(images, 1.0, 0.0, _generator())
    same = (jittered - images).abs().amax((1, 2, 3)) < 1e-6
    assert 330 < same.sum() < 470


def test_a_third_of_a_turn_permutes_colors() -> None:
    red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
    gray = red.mean(1, keepdim=True)
    turned = gray + turn_hue(red - gray, torch.tensor(2 * math.pi / 3).reshape(1, 1, 1, 1))
    torch.testing.assert_close(turned.flatten(), torch.tensor([0.0, 1.0, 0.0]), atol=1e-6, rtol=0)


def test_jitter_in_plain_numbers() -> None:
    images = 0.35 + 0.3 * _noise(8, 3, 4, 4)
    found = recolor(images, 0.5, 0.0, _generator(2)).double().numpy()
    draws = torch.rand((6, 8, 1, 1, 1), generator=_generator(2)).double().numpy().reshape(6, 8)
    axis = np.full(3, 1 / math.sqrt(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    for i, image in enumerate(images.double().numpy()):
        change = 0.5 * (2 * draws[1:5, i] - 1) if draws[0, i] < 0.8 else np.zeros(4)
        angle = 2 * math.pi * 0.2 * change[3]
        turn = np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
        image = np.einsum("ij,jyx->iyx", turn, image)
        image = image.mean(0) + (1 + 0.8 * change[2]) * (image - image.mean(0))
        image = image.mean() + (1 + 0.8 * change[1]) * (image - image.mean())
        expected = np.clip((1 + 0.8 * change[0]) * image, 0, 1)
        np.testing.assert_allclose(found[i], expected, atol=1e-5)


def test_blur_is_that_of_scipy() -> None:
    images = _noise(5, 1, 40, 40)
    blurred = blur(images, 2.0, 1.0, _generator(5))
    sigmas = 2 * torch.rand((2, 5, 1, 1, 1), generator=_generator(5))[0].flatten()
    for image, result, sigma in zip(images[:, 0], blurred[:, 0], sigmas.tolist(), strict=True):
        expected = ndimage.gaussian_filter(image.double().numpy(), sigma, truncate=8)
        inner = slice(14, -14)
        np.testing.assert_allclose(result[inner, inner], expected[inner, inner], atol=1e-5)


def test_share_of_images_that_are_blurred() -> None:
    images = _noise(1, 1, 8, 8).expand(1000, -1, -1, -1)
    same = (blur(images, 3.0, 0.3, _generator()) - images).abs().amax((1, 2, 3)) < 1e-4
    assert 620 < same.sum() < 800
    even = torch.full((4, 1, 8, 8), 0.7)
    torch.testing.assert_close(blur(even, 1e30, 1.0, _generator()), even)
