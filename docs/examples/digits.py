"""The handwritten digits of scikit-learn as a data set: 1797 gray images of 8x8 pixels.

See docs/adding-a-dataset.md.
"""

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

from cactus.config.sections import base


class Settings(base.Settings):
    """Keys of `data.custom.<name>.settings`."""

    inverted: bool = base.setting(False, "Whether the ink is black instead of white.")


def read(settings: Settings) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the images, uint8 (1797, 8, 8), and the digit that each shows, int64 (1797,)."""
    found = load_digits()
    # The files have 17 levels of gray, 0 to 16.
    images = np.round(found.images * (255 / 16)).astype(np.uint8)
    return 255 - images if settings.inverted else images, found.target
