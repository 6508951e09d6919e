"""Contrast-normalized, whitened pixels, which k-means clusters when there is no embedding.

Coates, Ng and Lee, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning",
AISTATS 2011, section 3.1: each image is centered and divided by the root of its variance plus an
offset; ZCA then decorrelates the pixels. ZCA is a rotation of the whitened principal components,
which are used here because k-means depends only on distances, and a few components suffice.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cactus.config.sections.partition import PixelSettings

_CHUNK_IMAGES = 1024
_RANK_TOLERANCE = 1e-6

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PrincipalComponents:
    """Principal components of contrast-normalized images."""

    mean: FloatArray  # (D,) mean image
    directions: FloatArray  # (r, D) orthonormal rows, by decreasing variance
    variances: npt.NDArray[np.float64]  # (r,) variance along each direction


def pixel_features(
    images: npt.NDArray[np.uint8], settings: PixelSettings, generator: np.random.Generator
) -> FloatArray:
    """Return the whitened principal components of images.

    Parameters
    ----------
    images
        (N, H, W, C) uint8; may be memory-mapped, read in chunks.
    generator
        Draws the images that the directions are computed from, if not all are used.

    Returns
    -------
    ndarray
        (N, r) float32 with r <= min(components, H * W * C).
    """
    principal = _fit(_fit_images(images, settings, generator), settings.components)
    scale = np.sqrt(principal.variances + settings.zca_epsilon)
    basis = (principal.directions / scale[:, None]).T.astype(np.float32)
    features = np.empty((len(images), basis.shape[1]), np.float32)
    for start in range(0, len(images), _CHUNK_IMAGES):
        chunk = slice(start, start + _CHUNK_IMAGES)
        pixels = normalize_contrast(images[chunk], settings.contrast_offset)
        features[chunk] = (pixels - principal.mean) @ basis
    return features


def normalize_contrast(images: npt.NDArray[np.uint8], offset: float) -> FloatArray:
    """Return flat images (n, D), each (x - mean) / sqrt(variance + offset) of its own pixels.

    Parameters
    ----------
    images
        (n, H, W, C) uint8 gray levels, 0 to 255.
    offset
        Keeps the noise of flat images small, in squared gray levels.
    """
    pixels = images.reshape(len(images), -1).astype(np.float32)
    pixels -= pixels.mean(axis=1, keepdims=True)
    variances = np.einsum("nd,nd->n", pixels, pixels) / pixels.shape[1]
    pixels /= np.sqrt(variances + np.float32(offset))[:, None]
    return pixels


def _fit_images(
    images: npt.NDArray[np.uint8], settings: PixelSettings, generator: np.random.Generator
) -> FloatArray:
    chosen: slice | npt.NDArray[np.int64] = slice(None)
    if len(images) > settings.fit_images:
        chosen = np.sort(generator.choice(len(images), settings.fit_images, replace=False))
    return normalize_contrast(images[chosen], settings.contrast_offset)


def _fit(pixels: FloatArray, components: int) -> PrincipalComponents:
    """Compute the leading directions from the smaller of the two Gram matrices."""
    mean = pixels.mean(axis=0)
    centered = np.subtract(pixels, mean, out=pixels)  # in place: this is the largest array
    few_images = len(centered) < centered.shape[1]
    gram = _gram(centered.T if few_images else centered)
    values, vectors = np.linalg.eigh(gram / len(centered))
    variances = values[::-1][:components].clip(min=0.0)
    directions = vectors[:, ::-1][:, :components].T
    if few_images:  # an eigenvector u of X X' gives the direction X' u / |X' u|
        proper = variances > _RANK_TOLERANCE * variances[0]
        variances, directions = variances[proper], directions[proper] @ centered
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return PrincipalComponents(mean, directions.astype(np.float32), variances)


def _gram(rows: FloatArray) -> npt.NDArray[np.float64]:
    """Return rows' @ rows, summed in double precision chunk by chunk."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), _CHUNK_IMAGES):
        chunk = rows[start : start + _CHUNK_IMAGES].astype(np.float64)
        total += chunk.T @ chunk
    return total
