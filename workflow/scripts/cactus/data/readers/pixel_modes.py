"""What the pixels of an image file mean, as opaque 8-bit gray or RGB.

Opaque images of 8 bits or fewer are converted by Pillow as they are. The others have one meaning
here, which a user can read in the documentation of the data, or are refused.
"""

from collections import Counter
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

# Opaque modes whose conversion to gray and RGB loses nothing but color.
_PLAIN = ("1", "L", "P", "RGB", "CMYK")
_DEEP = ("I;16", "I;16L", "I;16B")
_TRANSPARENT = ("LA", "PA", "RGBA")
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The largest values of PNG's gray levels of few bits, which Pillow stretches to 8 bits.
_FEW_BITS = {"L;2": 3, "L;4": 15}
_MAX_BYTE = 0xFF
# Cameras and scanners often keep 10 or 12 bits in 16.
_MAX_12_BITS = 0xFFF


class UnclearPixelsError(Exception):
    """The pixels of an image have no meaning that is clear."""


def converted(
    image: Image.Image, mode: Literal["L", "RGB"], treatments: Counter[str]
) -> Image.Image:
    """Return an opened image upright, opaque and in `mode`; count what was done to it.

    Raises
    ------
    UnclearPixelsError
        It has several frames, or a mode, a depth or a transparency of no clear meaning.
    """
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise UnclearPixelsError("several frames")
    raw_mode = _raw_mode(image)
    image.load()
    deep = image.mode in _DEEP or "16B" in raw_mode
    if image.has_transparency_data:
        pixels = _with_alpha(image, raw_mode)
        result = Image.fromarray(_on_white(pixels)).convert(mode)
        if (pixels[..., 3] < _MAX_BYTE).any():
            treatments["with transparency were laid on white"] += 1
    elif image.mode in _DEEP:
        result = Image.fromarray(_upper_byte(np.asarray(image))).convert(mode)
    else:
        _check_mode(image)
        result = image.convert(mode)
    if deep:
        treatments["of 16 bits were reduced to the upper 8"] += 1
    if image.info.get("icc_profile"):
        treatments["have a color profile, which was ignored"] += 1
    return _upright(image, result, treatments)


def _raw_mode(image: Image.Image) -> str:
    """Return how the file stores its pixels; an empty string if it does not say."""
    tiles = getattr(image, "tile", None)
    arguments = tiles[0][3] if tiles else ""
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _check_mode(image: Image.Image) -> None:
    if image.mode not in _PLAIN:
        raise UnclearPixelsError(f"pixels of mode {image.mode}")
    if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
        raise UnclearPixelsError("CMYK without Adobe's mark, so that 0 may be ink or none")


def _upper_byte(values: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """Reduce 16 bits to 8 as Pillow does for colors."""
    if 0 < values.max(initial=0) <= _MAX_12_BITS:
        raise UnclearPixelsError(
            f"16-bit pixels of at most {values.max()}, which would be black or nearly so: perhaps "
            "fewer bits in 16"
        )
    return (values >> 8).astype(np.uint8)


def _with_alpha(image: Image.Image, raw_mode: str) -> npt.NDArray[np.uint8]:
    """Return (H, W, 4) pixels, the last value of which is the opacity."""
    color = image.info.get("transparency")
    if image.mode in _DEEP:
        values = np.asarray(image)
        gray = _upper_byte(values)
        return np.stack([gray, gray, gray, np.where(values == color, 0, 255)], -1).astype(np.uint8)
    if "16B" in raw_mode and color is not None:
        raise UnclearPixelsError("a transparent color of 16 bits a channel")
    if image.mode not in (*_PLAIN, *_TRANSPARENT):
        raise UnclearPixelsError(f"pixels of mode {image.mode}")
    # Pillow keeps the transparent color as it is in the file.
    if image.mode == "L" and color is not None:
        levels = _FEW_BITS.get(raw_mode, _MAX_BYTE)
        image.info["transparency"] = (color & levels) * (_MAX_BYTE // levels)
    elif image.mode == "RGB" and isinstance(color, tuple):
        image.info["transparency"] = tuple(value & _MAX_BYTE for value in color)
    return np.asarray(image.convert("RGBA"))


def _on_white(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return (H, W, 3) pixels on white ground."""
    color, opacity = pixels[..., :3].astype(np.uint16), pixels[..., 3:].astype(np.uint16)
    # At most 255 * 255 + 127, which 16 bits hold.
    result = ((color * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)
    if (opacity < _MAX_BYTE).any() and (result == result[0, 0]).all():
        raise UnclearPixelsError("transparent pixels that are one flat tone on white ground")
    return result


def _upright(image: Image.Image, result: Image.Image, treatments: Counter[str]) -> Image.Image:
    """Turn the result as the EXIF orientation of the image says."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
        method = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    # Cameras and editors write EXIF that breaks its own format in many ways.
    except Exception:
        treatments["have EXIF data that cannot be read, which was ignored"] += 1
        return result
    if method is None:
        return result
    treatments["were turned upright by their EXIF orientation"] += 1
    return result.transpose(method)
