"""Files of ready-made vectors that are damaged, packed or encrypted are named."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cactus.errors import DataError
from tests.unit.embed.test_ready_made import data, method, write


def damaged(change: Callable[[bytearray], None]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        content = bytearray(path.read_bytes())
        change(content)
        path.write_bytes(content)

    return apply


def each_member(content: bytearray, offset: int, value: int) -> None:
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + offset] = value
        at = content.find(b"PK\x01\x02", at + 4)


def no_array(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Z", b"hello")


def header(text: bytes) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        start = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("Z.npy", start)

    return apply


@pytest.mark.parametrize(
    "damage",
    [
        damaged(lambda content: each_member(content, 8, 1)),  # encrypted
        damaged(lambda content: each_member(content, 10, 93)),  # packed by zstd
        no_array,
        header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (True, 4), }\n"),
        header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 4), }\n"),
        header(b"{'descr': '<f4', 'fortran_order"),
        header(b"  a\n b\n"),
    ],
)
def test_files_that_cannot_be_read_are_named(damage, tmp_path):
    images, vectors = data((8, 8, 1))
    settings = write(tmp_path, images, vectors)
    damage(Path(settings.val))
    with pytest.raises(DataError, match="cannot be read") as caught:
        method(settings, (8, 8, 1))
    assert caught.value.where == settings.val
