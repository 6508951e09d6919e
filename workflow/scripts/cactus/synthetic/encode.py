"""Images and archives as bytes that depend only on their content, not on the clock."""

import gzip
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from cactus.files import atomic_path

# The earliest time that a zip archive can store.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_ZIP_FILE_MODE = 0o644 << 16


def encode_jpeg(image: npt.NDArray[np.uint8], quality: int) -> bytes:
    """Return an RGB image (H, W, 3) as baseline JPEG bytes."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def encode_png(ink: npt.NDArray[np.bool_]) -> bytes:
    """Return a drawing (H, W) as 1-bit PNG bytes: black ink on white, as in Omniglot."""
    buffer = io.BytesIO()
    Image.fromarray(~ink).convert("1").save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def write_gzip(path: Path, content: bytes) -> None:
    """Write `content` compressed to `path`, atomically and without a timestamp."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(gzip.compress(content, mtime=0))


def write_zip(path: Path, members: Iterable[tuple[str, bytes]]) -> None:
    """Write pairs of name and content, in the order given, to a zip archive without timestamps."""
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, _ZIP_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = _ZIP_FILE_MODE
            archive.writestr(info, content)
