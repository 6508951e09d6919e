"""The real 8x8 digits bundled with scikit-learn, enlarged and jittered."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from sklearn.datasets import load_digits

from cactus.config.sections.synthetic import SyntheticMnist
from cactus.seeding import numpy_generator

# MNIST fits each digit into 20x20 pixels and centers its mass in a frame of 28x28.
_FRAME = 28
_BOX = 20
_BASE_SIDE = 8
_BASE_WHITE = 16.0
_MARGIN = 2
# Three in ten base digits are kept for the test images, so that no digit is in both sets.
_TEST_SHARE = 0.3

_Images = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class BaseDigits:
    """Original digits: gray levels (N, 12, 12) in [0, 1] with a dark margin, labels (N,)."""

    images: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]


def split_base_digits(seed: int) -> tuple[BaseDigits, BaseDigits]:
    """Return disjoint base digits for the training and for the test images."""
    pixels, labels = load_digits(return_X_y=True)
    images = pixels.reshape(-1, _BASE_SIDE, _BASE_SIDE) / _BASE_WHITE
    # With a dark margin, strokes at the border fade as smoothly as the others.
    images = np.pad(images, ((0, 0), (_MARGIN, _MARGIN), (_MARGIN, _MARGIN)))
    order = numpy_generator("sample", "mnist", "split", seed).permutation(len(images))
    tests = round(_TEST_SHARE * len(order))
    test, train = (
        BaseDigits(images[part], labels[part]) for part in (order[:tests], order[tests:])
    )
    return train, test


def draw_digits(
    base: BaseDigits, count: int, settings: SyntheticMnist, generator: np.random.Generator
) -> tuple[_Images, _Images]:
    """Draw `count` jittered digits; uses of the base digits differ by at most one.

    Returns
    -------
    images, labels
        uint8, (count, 28, 28) with white ink on black, and (count,).
    """
    rounds = -(-count // len(base.images))
    chosen = np.concatenate([generator.permutation(len(base.images)) for _ in range(rounds)])
    chosen = chosen[:count]
    images = np.stack([_enlarge(base.images[i], settings, generator) for i in chosen])
    return images, base.labels[chosen].astype(np.uint8)


def _enlarge(
    digit: npt.NDArray[np.float64], settings: SyntheticMnist, generator: np.random.Generator
) -> _Images:
    """Map the frame's pixels back to the small digit and interpolate with cubic splines."""
    matrix = _jitter(settings, generator) * (_BASE_SIDE / _BOX)
    rows, columns = np.indices(digit.shape)
    mass = np.array([(digit * rows).sum(), (digit * columns).sum()]) / digit.sum()
    shift = generator.uniform(-settings.shift, settings.shift, size=2)
    middle = np.full(2, (_FRAME - 1) / 2) + shift
    enlarged = ndimage.affine_transform(
        digit, matrix, offset=mass - (matrix * middle).sum(axis=1), output_shape=(_FRAME, _FRAME)
    )
    return np.asarray(np.rint(255 * enlarged.clip(0, 1)).astype(np.uint8))


def _jitter(settings: SyntheticMnist, generator: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a random 2x2 matrix (row, column) near the identity."""
    angle = np.deg2rad(generator.uniform(-settings.rotation, settings.rotation))
    shear = generator.uniform(-settings.shear, settings.shear)
    height, width = 1 + generator.uniform(-settings.scaling, settings.scaling, size=2)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine * height, -sine], [sine + shear, cosine * width]])
