"""The margins that random hyperplanes can keep in vectors of Omniglot's training images.

``python -m bench.hyperplanes results/<run>/embeddings/omniglot/acai/s0/train.npy`` takes those of
an embedding; from ``results/<run>/data/omniglot/train_images.npy``, it takes principal components.
Prints a row of docs/partitions.md per margin.
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cactus.config.sections.partition import HyperplaneSettings
from cactus.errors import EpisodeError
from cactus.tasks.hyperplanes import has_enough, plane_sides, random_cells, scaled
from cactus.tasks.shape import EpisodeShape

DIMS: Final = 256
SHAPE: Final = EpisodeShape(way=20, shot=1, query=5)
TRIALS: Final = 300
ORIGINAL: Final = HyperplaneSettings(unit="embedding", margin=1.2, point_range=0.8)
MARGINS: Final = (0.0, 0.3, 0.6, 0.8, 0.9)


def principal_components(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the leading principal components (N, 256) of images (N, H, W, C), in [0, 1]."""
    pixels = images.reshape(len(images), -1).astype(np.float32) / 255
    pixels -= pixels.mean(axis=0)
    _, directions = np.linalg.eigh(pixels.T @ pixels)
    return np.ascontiguousarray(pixels @ directions[:, ::-1][:, :DIMS], np.float32)


def row(codes: npt.NDArray[np.float32], settings: HyperplaneSettings) -> str:
    """Return the cells of one margin: planes, combinations with enough cells, images in a cell."""
    vectors, unit = scaled(codes, settings)
    start = f"| {settings.unit} ({unit:.3f}) | {settings.margin:g} |"
    try:
        sides = plane_sides(vectors, settings, SHAPE.per_class, np.random.default_rng(0))
    except EpisodeError as error:
        return f"{start} {error.got} | | |"
    generator = np.random.default_rng(1)
    cells = [random_cells(sides, SHAPE, generator) for _ in range(TRIALS)]
    met = np.mean([has_enough(one, SHAPE) for one in cells])
    kept = np.mean([(one >= 0).mean() for one in cells])
    return f"{start} {len(sides)} | {met:.0%} | {kept:.1%} |"


def main() -> None:
    """Print a row for the original's margin, and for ours."""
    array = np.load(Path(sys.argv[1]))
    codes = array if array.ndim == 2 else principal_components(array)
    print(row(codes, ORIGINAL))
    for margin in MARGINS:
        print(row(codes, HyperplaneSettings(margin=margin)))


if __name__ == "__main__":
    main()
