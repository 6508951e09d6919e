import numpy as np
import pytest
from scipy.spatial.distance import pdist

from cactus.config.sections.partition import PixelSettings
from cactus.tasks.pixels import normalize_contrast, pixel_features


def images(count=400, side=6, channels=1, seed=0):
    """Smooth random images, so that neighboring pixels correlate."""
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(count, side, side, channels))
    smooth = noise.cumsum(axis=1) + noise.cumsum(axis=2)
    scaled = 255 * (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return scaled.astype(np.uint8)


def zca(pixels, epsilon, offset=10.0):
    """Contrast normalization and ZCA in double precision, straight from the definition."""
    flat = pixels.reshape(len(pixels), -1).astype(np.float64)
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat = flat / np.sqrt(flat.var(axis=1, keepdims=True) + offset)
    centered = flat - flat.mean(axis=0)
    values, vectors = np.linalg.eigh(centered.T @ centered / len(centered))
    return centered @ vectors @ np.diag(1 / np.sqrt(values + epsilon)) @ vectors.T


def features(pixels, **settings):
    return pixel_features(pixels, PixelSettings(**settings), np.random.default_rng(0))


def test_contrast_normalization_by_hand():
    # Mean 20, variance (100 + 100) / 2 = 100, so (x - 20) / sqrt(110).
    flat = normalize_contrast(np.array([[[[10]], [[30]]]], np.uint8), 10.0)
    assert flat.dtype == np.float32
    assert flat == pytest.approx(np.array([[-10, 10]]) / np.sqrt(110))


def test_flat_images_are_zero():
    assert not normalize_contrast(np.full((2, 3, 3, 1), 200, np.uint8), 10.0).any()


@pytest.mark.parametrize("channels", [1, 3])
def test_covariance_is_the_identity(channels):
    made = features(images(2000, 4, channels)).astype(np.float64)
    assert made.mean(axis=0) == pytest.approx(np.zeros(16 * channels), abs=1e-3)
    covariance = made.T @ made / len(made)
    # Contrast normalization removes each image's mean, so one direction has no variance.
    expected = np.diag([1.0] * (16 * channels - 1) + [0.0])
    assert covariance == pytest.approx(expected, abs=2e-3)


def test_distances_are_those_of_zca():
    pixels = images(200, 5)
    made = features(pixels, zca_epsilon=0.01)
    assert made.shape == (200, 25)
    assert pdist(made.astype(np.float64)) == pytest.approx(pdist(zca(pixels, 0.01)), rel=1e-4)


def test_fewer_images_than_pixels_give_the_same_distances():
    pixels = images(30, 8)
    made = features(pixels, zca_epsilon=0.01)
    assert made.shape[1] <= 29
    assert pdist(made.astype(np.float64)) == pytest.approx(pdist(zca(pixels, 0.01)), rel=1e-4)


def test_repeated_images_do_not_blow_up():
    pixels = np.repeat(images(5, 8), 6, axis=0)
    made = features(pixels)
    assert made.shape[1] == 4
    assert np.abs(made).max() < 10


def test_components_keep_the_leading_directions():
    pixels = images(300, 6)
    assert features(pixels, components=7) == pytest.approx(features(pixels)[:, :7], abs=1e-4)


def test_directions_from_some_images_serve_all(tmp_path):
    pixels = images(600, 4)
    made = features(pixels, fit_images=500)
    assert made.shape[0] == 600
    assert not np.array_equal(made, features(pixels))
    covariance = np.cov(made.astype(np.float64).T)
    assert np.diag(covariance)[:10] == pytest.approx(np.ones(10), abs=0.3)
    np.save(tmp_path / "images.npy", pixels)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    assert np.array_equal(features(mapped, fit_images=500), made)


def test_images_beyond_one_chunk_are_all_encoded():
    pixels = images(1500, 4)
    made = features(pixels, zca_epsilon=0.01)
    reference = zca(pixels, 0.01)
    norms = np.linalg.norm(made.astype(np.float64), axis=1)
    assert norms == pytest.approx(np.linalg.norm(reference, axis=1), rel=1e-3)
