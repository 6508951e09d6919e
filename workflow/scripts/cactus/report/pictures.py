"""Pictures as part of the page: no larger than a screen shows them."""

import base64
import io
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image

from cactus.errors import DataError

_WIDEST: Final = 1200  # pixels: twice the width at which a page shows a picture
_COLORS: Final = 256


class Picture(NamedTuple):
    """A picture: its address, which holds all of it, and its size in pixels."""

    address: str
    width: int
    height: int


def embedded(path: Path, widest: int = _WIDEST) -> Picture:
    """Return a picture to embed, scaled down if it is wider than `widest` pixels.

    Raises
    ------
    DataError
        The file is not a picture.
    """
    try:
        with Image.open(path) as image:
            image.load()
            small = image.convert("RGBA").convert("RGB") if image.mode == "P" else image
            if image.mode in ("RGBA", "LA"):
                small = Image.new("RGB", image.size, "white")
                small.paste(image, mask=image.getchannel("A"))
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(
            "A picture cannot be read.",
            where=str(path),
            got=str(error),
            fix="delete the file and run the same command again to recreate it",
        ) from error
    if small.width > widest:
        height = max(1, round(small.height * widest / small.width))
        small = small.resize((widest, height), Image.Resampling.LANCZOS)
    if small.mode == "RGB":  # a palette takes a quarter of the bytes
        small = small.quantize(_COLORS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    text = base64.b64encode(buffer.getvalue()).decode()
    return Picture(f"data:image/png;base64,{text}", *small.size)
