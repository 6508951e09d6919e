"""Synthetic MNIST: jittered digits in the four official files."""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cactus.config.synthetic import SyntheticMnist
from cactus.seeding import numpy_generator
from cactus.synthetic.encode import write_gzip
from cactus.synthetic.mnist.digits import draw_digits, split_base_digits

# idx files start with two zero bytes, the type (8: unsigned byte) and the number of axes.
_IDX_UBYTE = 0x0800


def write_files(settings: SyntheticMnist, seed: int, folder: Path) -> None:
    """Write the four official gzip-compressed idx files into `folder`."""
    train, test = split_base_digits(seed)
    for name, base, count in (
        ("train", train, settings.train_images),
        ("t10k", test, settings.test_images),
    ):
        generator = numpy_generator("sample", "mnist", name, seed)
        images, labels = draw_digits(base, count, settings, generator)
        write_gzip(folder / f"{name}-images-idx3-ubyte.gz", _idx_bytes(images))
        write_gzip(folder / f"{name}-labels-idx1-ubyte.gz", _idx_bytes(labels))


def _idx_bytes(array: npt.NDArray[np.uint8]) -> bytes:
    """Return an array of unsigned bytes in the idx format: big-endian header, then the data."""
    header = struct.pack(f">I{array.ndim}I", _IDX_UBYTE | array.ndim, *array.shape)
    return header + array.tobytes()
