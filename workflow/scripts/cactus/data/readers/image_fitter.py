"""Decoding of image files, and fitting them to one size."""

import io
from collections import Counter
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from cactus.config.sections.data.section import CELEBA_WIDTH, Resampling
from cactus.data.files.damage import HEAD_BYTES, impostor
from cactus.data.readers.pixel_modes import UnclearPixelsError, converted
from cactus.errors import DataError

_MAX_NOTES = 5
# Zeros at the end of a file that no compressed image has by chance.
_PADDING = 16
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP")
# Formats that are not read; told by how a file begins.
_OTHER_FORMATS = {
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"8BPS": "Photoshop",
    b"%PDF": "PDF",
    b"\x93NUMPY": "NumPy",
    b"P5": "PGM",
    b"P6": "PPM",
}


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
        self._treatments: Counter[str] = Counter()

    def decode(self, content: bytes, where: str) -> npt.NDArray[np.uint8]:
        """Decode a file and fit it; return uint8 (side, side, channels).

        Raises
        ------
        DataError
            The bytes are not an image, are truncated, decode to more than `max_bytes`, or have
            pixels of no clear meaning.
        """
        if (error := impostor(content[:HEAD_BYTES], where)) is not None:
            raise error
        if _ends_early(content):
            raise _undecodable(content, where, EOFError("zeros in place of its end"))
        try:
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                self._check_size(image, where)
                pixels = self.converted(image)
        except (DataError, MemoryError):
            raise
        except Image.DecompressionBombError as large:
            raise DataError(
                "An image is larger than Pillow opens.",
                where=where,
                got=str(large),
                fix="save it smaller, or delete it",
            ) from large
        except UnclearPixelsError as unclear:
            raise DataError(
                "An image has pixels whose meaning is not clear.",
                where=where,
                got=str(unclear),
                fix="save it as one opaque image of 8 bits, gray or RGB, as PNG or JPEG",
            ) from unclear
        # Pillow's decoders raise nearly anything on bytes that are truncated or altered.
        except Exception as undecodable:
            raise _undecodable(content, where, undecodable) from undecodable
        return self.fit(pixels)

    def converted(self, image: Image.Image) -> Image.Image:
        """Return an opened image upright, opaque and gray or RGB.

        Raises
        ------
        UnclearPixelsError
            It has pixels of no clear meaning.
        """
        return converted(image, self._mode, self._treatments)

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
        """Say which sizes and pixels were found and what was done to them, for the manifest."""
        how = f"resized to {self._side}x{self._side} ({self._resize})"
        if self._crop_side is not None:
            square = f"{self._crop_side}/{CELEBA_WIDTH} of the shorter side"
            how = f"cut to a square ({square}) and {how}"
        treated = [f"{count} images {what}" for what, count in sorted(self._treatments.items())]
        kept = (self._side, self._side) if self._crop_side is None else None
        changed = {size: count for size, count in sorted(self._sizes.items()) if size != kept}
        if len(changed) > _MAX_NOTES:
            return [f"{sum(changed.values())} images of {len(changed)} sizes were {how}", *treated]
        return [
            f"{n} images of {width}x{height} were {how}" for (width, height), n in changed.items()
        ] + treated

    def _check_size(self, image: Image.Image, where: str) -> None:
        channels = 4 if image.has_transparency_data else len(self._mode)
        decoded = image.width * image.height * channels
        if decoded > self._max_bytes:
            raise DataError(
                "An image is larger than allowed.",
                where=where,
                got=f"{image.width}x{image.height} pixels",
                fix="delete it, or raise data.max_image_mib",
            )


def _ends_early(content: bytes) -> bool:
    """Return whether zeros stand for the rest of a JPEG, as in a download that has not finished.

    Decoders show gray there. The last scan (SOS) of a whole JPEG has an end (EOI) behind it.
    """
    zeros = content.startswith(b"\xff\xd8") and content.endswith(bytes(_PADDING))
    return zeros and content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda")


def _undecodable(content: bytes, where: str, error: Exception) -> DataError:
    """Return the error for a file that is no image, or that is not in one of our formats."""
    other = next((kind for head, kind in _OTHER_FORMATS.items() if content.startswith(head)), None)
    if content[4:8] == b"ftyp":
        other = "HEIC or AVIF"
    if other is not None:
        return DataError(
            "An image is in a format that is not read here.",
            where=where,
            got=f"a {other} file",
            fix="save it as PNG or JPEG, gray or RGB of 8 bits",
        )
    return DataError(
        "An image cannot be decoded.",
        where=where,
        got=f"{len(content)} bytes, {_said(error)}",
        fix="get the file again; or delete it, so that it counts as missing",
    )


def _said(error: Exception) -> str:
    """Return what Pillow says, unless it is nothing but the address of a stream."""
    if isinstance(error, UnidentifiedImageError):
        return f"which are no {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}, or have a broken header"
    return f"{type(error).__name__}: {error}"


def center_square(image: Image.Image, fraction: float) -> Image.Image:
    """Crop the centered square whose side is `fraction` of the image's shorter side."""
    side = max(1, round(fraction * min(image.size)))
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))
