"""Decoding of image files, and fitting them to one size."""

import io
import struct
import zlib
from collections import Counter
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from cactus.config.sections.data import CELEBA_WIDTH, Resampling
from cactus.errors import DataError

_MAX_NOTES = 5
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP")
# What Pillow's decoders raise on bytes that are truncated, altered or not an image.
_UNDECODABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, IndexError)


class ImageFitter:
    """Turn image files into uint8 arrays of one size, and count the sizes found.

    Parameters
    ----------
    mode
        ``"L"`` for gray, ``"RGB"`` for color images.
    side
        Side of the result in pixels.
    resize
        Filter for images of other sizes.
    max_bytes
        Largest size of a decoded image in bytes.
    crop_side
        Side of the centered square that is cropped first, in pixels of an image whose shorter
        side is 178; None to keep the whole image.
    invert
        Whether to exchange black and white.
    """

    def __init__(
        self,
        mode: Literal["L", "RGB"],
        side: int,
        resize: Resampling,
        max_bytes: int,
        crop_side: int | None = None,
        invert: bool = False,
    ) -> None:
        self._mode, self._side, self._resize, self._max_bytes = mode, side, resize, max_bytes
        self._crop_side, self._invert = crop_side, invert
        self._sizes: Counter[tuple[int, int]] = Counter()

    def decode(self, content: bytes, where: str) -> npt.NDArray[np.uint8]:
        """Decode a file and fit it; return uint8 (side, side, channels).

        Raises
        ------
        DataError
            The bytes are not an image, are truncated, or decode to more than `max_bytes`.
        """
        try:
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                self._check_size(image, where)
                return self.fit(image.convert(self._mode))
        except (*_UNDECODABLE, Image.DecompressionBombError) as error:
            raise DataError(
                "An image cannot be decoded.",
                where=where,
                got=f"{len(content)} bytes, {type(error).__name__}: {error}",
                fix="get the file again; or delete it, so that it counts as missing",
            ) from error

    def fit(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """Crop and resize an image of the right mode; return uint8 (side, side, channels)."""
        self._sizes[image.size] += 1
        if self._crop_side is not None:
            image = center_square(image, self._crop_side / CELEBA_WIDTH)
        if image.size != (self._side, self._side):
            resampling = Image.Resampling[self._resize.upper()]
            image = image.resize((self._side, self._side), resampling)
        pixels = np.asarray(image, dtype=np.uint8).reshape(self._side, self._side, -1)
        return 255 - pixels if self._invert else pixels

    def notes(self) -> list[str]:
        """Say which sizes were found and what was done to them, for the manifest."""
        how = f"resized to {self._side}x{self._side} ({self._resize})"
        if self._crop_side is not None:
            square = f"{self._crop_side}/{CELEBA_WIDTH} of the shorter side"
            how = f"cut to a square ({square}) and {how}"
        kept = (self._side, self._side) if self._crop_side is None else None
        changed = {size: count for size, count in sorted(self._sizes.items()) if size != kept}
        if len(changed) > _MAX_NOTES:
            return [f"{sum(changed.values())} images of {len(changed)} sizes were {how}"]
        return [
            f"{n} images of {width}x{height} were {how}" for (width, height), n in changed.items()
        ]

    def _check_size(self, image: Image.Image, where: str) -> None:
        decoded = image.width * image.height * len(self._mode)
        if decoded > self._max_bytes:
            raise DataError(
                "An image is larger than allowed.",
                where=where,
                got=f"{image.width}x{image.height} pixels",
                fix="delete it, or raise data.max_image_mib",
            )


def center_square(image: Image.Image, fraction: float) -> Image.Image:
    """Crop the centered square whose side is `fraction` of the image's shorter side."""
    side = max(1, round(fraction * min(image.size)))
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))
