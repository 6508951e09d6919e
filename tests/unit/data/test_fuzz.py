"""Damaged and hostile raw files: each is read, or refused by a `DataError`, and nothing else."""

import io
import tarfile
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cactus.data.files.archives import open_archive
from cactus.data.files.registry import load_registry
from cactus.data.files.tree import RawTree
from cactus.data.readers import mnist
from cactus.data.readers.celeba_lists import read_attributes, read_partitions
from cactus.data.readers.image_fitter import ImageFitter
from cactus.data.readers.omniglot import find_characters
from cactus.errors import CactusError, DataError, printable
from tests.fuzz import examples
from tests.unit.data.rawfiles import (
    SETTINGS,
    celeba_csv_lists,
    celeba_lists,
    mnist_arrays,
    mnist_members,
    write_files,
    write_tar,
    write_zip,
)

LIMIT = 1 << 20
REGISTRY = load_registry()
pytestmark = pytest.mark.fuzz
EXTREMES = [b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0" * 600]


@st.composite
def altered(draw, contents):
    """One of some contents with bytes changed, put in, left out, repeated or cut."""
    data = bytearray(draw(st.sampled_from(contents)))
    for _ in range(draw(st.integers(1, 5))):
        # Headers are at the start or the end; what is between them is altered less often.
        last = len(data)
        ends = st.integers(0, min(last, 100)) | st.integers(max(0, last - 100), last)
        start = draw(ends | st.integers(0, last))
        stop = start + draw(st.integers(0, 8) | st.integers(0, last))
        new = draw(
            st.binary(max_size=4) | st.sampled_from(EXTREMES) | st.just(bytes(data[start:stop]))
        )
        if draw(st.booleans()):
            stop = start + len(new)
        data[start:stop] = new
    return bytes(data[: draw(st.integers(0, 2 * len(data)))])


def refused_or(call):
    """Return what a call returns; None if it refuses by an error that can be printed."""
    refusal = None
    try:
        return call()
    except DataError as error:
        refusal = error
    for part in (refusal.what, refusal.where, refusal.got, refusal.fix):
        assert part
        assert printable(part.replace("\n", "")) == part.replace("\n", "")
    assert len(str(refusal)) < 20_000
    return None


MNIST = mnist_members(mnist_arrays(30, 20), compressed=False)
MNIST |= {f"{name}.packed": data for name, data in mnist_members(mnist_arrays(30, 20)).items()}


@examples(150)
@given(st.sampled_from(sorted(MNIST)).flatmap(lambda n: st.tuples(st.just(n), altered([MNIST[n]]))))
def test_idx_files(tmp_path, case):
    name, content = case
    members = {one: data for one, data in MNIST.items() if not one.endswith("packed")}
    plain = name.removesuffix(".gz.packed")
    write_files(tmp_path, members | {plain: content})

    def read():
        with RawTree(tmp_path, REGISTRY["mnist"], SETTINGS) as raw:
            return [
                len(split.labels) for split in mnist.read(raw, SETTINGS, REGISTRY["mnist"]).splits
            ]

    counts = refused_or(read)
    assert counts is None or sum(counts) <= 70_000


def archives():
    members = {"a/one.png": b"one" * 50, "two": bytes(2000), "é": b"x"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_zip(folder / "a.zip", members)
        for mode in ("w", "w:gz", "w:bz2", "w:xz"):
            write_tar(folder / mode, members, mode)
        for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            with zipfile.ZipFile(folder / str(method), "w", method) as file:
                file.writestr("x", bytes(3000))
        with tarfile.open(folder / "pax", "w", format=tarfile.PAX_FORMAT) as tar:
            info = tarfile.TarInfo("long/" * 30)
            info.pax_headers = {"size": "10", "mtime": "1.5", "GNU.sparse.realsize": "1"}
            tar.addfile(info, io.BytesIO(b""))
        return [path.read_bytes() for path in sorted(folder.iterdir())]


@examples(400)
@given(altered(archives()), st.sampled_from([".zip", ".tar", ".tar.gz"]))
def test_archives(tmp_path, content, suffix):
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)

    def read():
        archive = open_archive(path, LIMIT)
        try:
            names = [member.name for member in archive.members]
            found = dict(archive.read(names))
            for name in names[:1]:
                with archive.open(name) as file:
                    assert file.read() == found[name]
        finally:
            archive.close()
        return found

    found = refused_or(read)
    assert found is None or sum(map(len, found.values())) <= LIMIT


NAMES = st.text(
    st.sampled_from("/\\.:\0\n\x1b aé") | st.characters(exclude_categories=["Cs"]), max_size=12
)


@examples(300)
@given(st.lists(NAMES, max_size=5), st.sampled_from(["zip", "tar"]))
def test_names_in_archives(tmp_path, names, kind):
    members = {f"x{name}/character01/0001_0{i}.png": b"" for name in names for i in range(3)}
    path = tmp_path / f"more.{kind}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_tar(path, members, "w") if kind == "tar" else write_zip(path, members)

    def read():
        with RawTree(tmp_path, REGISTRY["omniglot"], SETTINGS) as raw:
            return find_characters(raw)

    found = refused_or(read) or {}
    path.unlink()
    for name, drawings in found.items():
        assert printable(name) == name
        assert drawings


LISTS = [celeba_lists(12), celeba_csv_lists(12)]
LISTS = [data for lists in LISTS for data in lists.values()]
LISTS += [
    LISTS[1],
    LISTS[0].decode().replace(" ", ";").encode(),
    LISTS[2].decode().encode("utf-16"),
]


@examples(300)
@given(altered(LISTS), st.sampled_from([".txt", ".csv"]))
def test_lists_of_celeba(tmp_path, content, suffix):
    names = (f"list_attr_celeba{suffix}", f"list_eval_partition{suffix}")
    write_files(tmp_path, dict.fromkeys(names, content))
    with RawTree(tmp_path, REGISTRY["celeba"], SETTINGS) as raw:
        attributes = refused_or(lambda: read_attributes(raw))
        partitions = refused_or(lambda: read_partitions(raw))
    for name in names:
        (tmp_path / name).unlink()
    if attributes:
        assert attributes.values.shape == (len(attributes.rows), 40)
        assert set(attributes.values.ravel().tolist()) <= {0, 1}
    if partitions:
        sets = list(partitions.members.values())
        assert len(set.union(*sets)) == sum(map(len, sets))


def images():
    generator = np.random.default_rng(0)
    color = Image.fromarray(generator.integers(0, 256, (9, 12, 4), dtype=np.uint8), "RGBA")
    exif = Image.Exif()
    exif[0x0112] = 6
    results = []
    for kind, mode in [
        *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
        *(("GIF", "P"), ("BMP", "RGB"), ("BMP", "1"), ("WEBP", "RGBA"), ("WEBP", "RGB")),
    ]:
        image = color.convert("L").convert("I;16") if mode == "I;16" else color.convert(mode)
        if mode == "I;16":
            image = Image.fromarray(np.asarray(color)[..., 0].astype(np.uint16) * 257)
        options = {"exif": exif} if kind in ("PNG", "JPEG", "WEBP") else {}
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        results.append(buffer.getvalue())
    return results


@examples(500)
@given(altered(images()), st.sampled_from(["L", "RGB"]))
def test_images(content, mode):
    fitter = ImageFitter(mode, 8, "bilinear", LIMIT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pixels = refused_or(lambda: fitter.decode(content, "x"))
    assert pixels is None or pixels.shape == (8, 8, len(mode))


@examples(100)
@given(*[st.text(st.characters(), max_size=60) for _ in range(4)])
def test_messages_can_always_be_printed(what, where, got, fix):
    error = CactusError(what, where=where, got=got, fix=fix)
    error.where.encode()
    text = str(error).replace("\n", "")
    assert printable(text) == text
