"""The value that each kind of pixel has, against formulas over the arrays that the files hold."""

import io
import struct
import zlib
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from cactus.data.readers.image_fitter import ImageFitter
from cactus.data.readers.pixel_modes import UnclearPixelsError, converted
from cactus.errors import DataError

SIDE = 8
RANDOM = np.random.default_rng(5)
GRAY = RANDOM.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
COLOR = RANDOM.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
ALPHA = RANDOM.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
ALPHA[0], ALPHA[1] = 0, 255
DEEP = RANDOM.integers(0, 65536, (SIDE, SIDE, 4), dtype=np.uint16)
PALETTE = RANDOM.integers(0, 256, (256, 3), dtype=np.uint8)
UNCLEAR = "meaning is not clear"


def decode(content, mode="RGB"):
    fitter = ImageFitter(mode, SIDE, "box", 1 << 20)
    return fitter.decode(content, "x.png")[..., 0 if mode == "L" else slice(None)], fitter.notes()


def png(pixels, depth, color_type, **chunks):
    """Write a PNG by its specification: rows of samples, packed from the left."""
    rows = pixels.reshape(SIDE, -1)
    if depth == 16:
        packed = [row.astype(">u2").tobytes() for row in rows]
    else:
        bits = np.unpackbits(rows.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
        packed = [np.packbits(row.reshape(-1)).tobytes() for row in bits]
    header = struct.pack(">2I5B", SIDE, SIDE, depth, color_type, 0, 0, 0)
    parts = [(b"IHDR", header), *((name.encode(), data) for name, data in chunks.items())]
    parts += [(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in packed))), (b"IEND", b"")]
    result = b"\x89PNG\r\n\x1a\n"
    for kind, data in parts:
        crc = zlib.crc32(kind + data)
        result += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)
    return result


def saved(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def rgb(gray):
    return np.repeat(gray[..., None], 3, axis=-1)


def luma(color):
    """ITU-R 601."""
    return np.round(color.astype(float) @ [0.299, 0.587, 0.114])


def on_white(color, alpha):
    share = alpha.astype(float)[..., None] / 255
    return np.round(color * share + 255 * (1 - share))


def deep_byte(values):
    return values // 256


def few(levels):
    return (GRAY % levels).astype(np.uint8)


TRNS_LEVELS = RANDOM.integers(0, 256, 200, dtype=np.uint8)
INDEX = (GRAY % 220).astype(np.uint8)
PALETTE_ALPHA = np.where(INDEX < 200, TRNS_LEVELS[np.minimum(INDEX, 199)], 255)
SHADES = {  # the content of a file, and its RGB value
    "1": (png(few(2), 1, 0), rgb(few(2) * 255)),
    "gray of 2 bits": (png(few(4), 2, 0), rgb(few(4) * 85)),
    "gray of 4 bits": (png(few(16), 4, 0), rgb(few(16) * 17)),
    "L": (png(GRAY, 8, 0), rgb(GRAY)),
    "L from Pillow": (saved(Image.fromarray(GRAY)), rgb(GRAY)),
    "gray of 16 bits": (png(DEEP[..., 0], 16, 0), rgb(deep_byte(DEEP[..., 0]))),
    "RGB": (png(COLOR, 8, 2), COLOR),
    "RGB of 16 bits": (png(DEEP[..., :3], 16, 2), deep_byte(DEEP[..., :3])),
    "P": (png(GRAY, 8, 3, PLTE=PALETTE.tobytes()), PALETTE[GRAY]),
    "P of 2 bits": (png(few(4), 2, 3, PLTE=PALETTE[:4].tobytes()), PALETTE[few(4)]),
    "P with opacities": (
        png(INDEX, 8, 3, PLTE=PALETTE.tobytes(), tRNS=TRNS_LEVELS.tobytes()),
        on_white(PALETTE[INDEX], PALETTE_ALPHA),
    ),
    "P with a transparent color": (
        png(few(4), 8, 3, PLTE=PALETTE[:4].tobytes(), tRNS=b"\xff\x00"),
        on_white(PALETTE[few(4)], np.where(few(4) == 1, 0, 255)),
    ),
    "LA": (png(np.stack([GRAY, ALPHA], -1), 8, 4), on_white(rgb(GRAY), ALPHA)),
    "LA of 16 bits": (
        png(DEEP[..., :2], 16, 4),
        on_white(rgb(deep_byte(DEEP[..., 0])), deep_byte(DEEP[..., 1])),
    ),
    "RGBA": (png(np.dstack([COLOR, ALPHA]), 8, 6), on_white(COLOR, ALPHA)),
    "RGBA of 16 bits": (
        png(DEEP, 16, 6),
        on_white(deep_byte(DEEP[..., :3]), deep_byte(DEEP[..., 3])),
    ),
    "RGBA, opaque": (png(np.dstack([COLOR, ALPHA | 255]), 8, 6), COLOR),
    "1 with a transparent color": (
        png(few(2), 1, 0, tRNS=struct.pack(">H", 1)),
        rgb(np.full((SIDE, SIDE), 255) * few(2)),
    ),
    "gray of 2 bits with a transparent color": (
        png(few(4), 2, 0, tRNS=struct.pack(">H", 2)),
        rgb(np.where(few(4) == 2, 255, few(4) * 85)),
    ),
    "gray of 4 bits with a transparent color": (
        png(few(16), 4, 0, tRNS=struct.pack(">H", 3)),
        rgb(np.where(few(16) == 3, 255, few(16) * 17)),
    ),
    "L with a transparent color": (
        png(few(4), 8, 0, tRNS=struct.pack(">H", 2)),
        rgb(np.where(few(4) == 2, 255, few(4))),
    ),
    "gray of 16 bits with a transparent color": (
        png(DEEP[..., 0], 16, 0, tRNS=struct.pack(">H", DEEP[3, 3, 0])),
        rgb(np.where(DEEP[..., 0] == DEEP[3, 3, 0], 255, deep_byte(DEEP[..., 0]))),
    ),
    "RGB with a transparent color": (
        png(COLOR, 8, 2, tRNS=COLOR[2, 2].astype(">u2").tobytes()),
        np.where((COLOR[2, 2] == COLOR).all(-1, keepdims=True), 255, COLOR),
    ),
    "gamma": (png(GRAY, 8, 0, gAMA=struct.pack(">I", 100_000)), rgb(GRAY)),
    "RGBA in WebP": (
        saved(
            Image.fromarray(np.dstack([COLOR, ALPHA]), "RGBA"), "WEBP", lossless=True, exact=True
        ),
        on_white(COLOR, ALPHA),
    ),
    "BMP": (saved(Image.fromarray(COLOR), "BMP"), COLOR),
    "GIF": (saved(Image.fromarray(GRAY), "GIF"), rgb(GRAY)),
}


@pytest.mark.parametrize("case", list(SHADES))
def test_value_of_each_kind(case):
    content, expected = SHADES[case]
    np.testing.assert_allclose(decode(content)[0], expected, atol=0.5)
    np.testing.assert_allclose(decode(content, "L")[0], luma(np.asarray(expected)), atol=1.5)


@pytest.mark.parametrize("case", ["1", "L", "RGB", "RGBA, opaque", "P", "BMP", "GIF"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_opaque_pixels_are_those_of_pillow(case, mode):
    content = SHADES[case][0]
    with Image.open(io.BytesIO(content)) as image:
        expected = np.asarray(image.convert(mode))
    result, notes = decode(content, mode)
    np.testing.assert_array_equal(result, expected)
    assert notes == []


def test_ink_on_transparent_ground_is_the_opaque_drawing():
    page = np.full((SIDE, SIDE), 255, np.uint8)
    page[2:4, 1:6] = 0
    clear = np.dstack([np.zeros((SIDE, SIDE, 3), np.uint8), 255 - page])
    result, notes = decode(png(clear, 8, 6), "L")
    np.testing.assert_array_equal(result, decode(png(page, 8, 0), "L")[0])
    assert notes == ["1 images with transparency were laid on white"]


@pytest.mark.parametrize("transform", ["Adobe", "no mark"])
def test_cmyk(transform):
    ink = np.repeat(RANDOM.integers(0, 256, (1, 1, 4), dtype=np.uint8), SIDE, 0).repeat(SIDE, 1)
    content = saved(Image.fromarray(ink, "CMYK"), "JPEG", quality=100)
    if transform == "no mark":
        start = content.index(b"\xff\xee")
        length = int.from_bytes(content[start + 2 : start + 4], "big")
        content = content[:start] + content[start + 2 + length :]
        with pytest.raises(DataError, match=UNCLEAR) as caught:
            decode(content)
        assert "CMYK" in caught.value.got
        return
    # Color is what neither the ink nor the black takes away.
    left = 255 - ink.astype(float)
    expected = left[..., :3] * left[..., 3:] / 255
    np.testing.assert_allclose(decode(content)[0], expected, atol=3)


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_exif_orientation(orientation, kind):
    stored = np.zeros((SIDE, SIDE, 3), np.uint8)
    stored[:4, :4], stored[:4, 4:], stored[4:, :4] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    # Where the first row and the first column of the stored image belong, from the standard.
    turned = {
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.transpose(1, 0, 2),
        6: np.rot90(stored, -1),
        7: np.rot90(stored, 2).transpose(1, 0, 2),
        8: np.rot90(stored),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"PNG": {}, "JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}
    content = saved(Image.fromarray(stored), kind, exif=exif, **options[kind])
    result, notes = decode(content)
    np.testing.assert_allclose(result, turned.get(orientation, stored), atol=3)
    assert len(notes) == (orientation in turned)


def test_turned_image_keeps_its_shape():
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = Image.fromarray(np.zeros((20, 40, 3), np.uint8))
    assert "1 images of 20x40 were" in decode(saved(wide, "JPEG", exif=exif))[1][0]


def test_exif_that_cannot_be_read_is_noted():
    result, notes = decode(png(COLOR, 8, 2, eXIf=b"no EXIF"))
    np.testing.assert_array_equal(result, COLOR)
    assert notes == ["1 images have EXIF data that cannot be read, which was ignored"]


def test_color_profile_is_ignored_with_a_note():
    result, notes = decode(saved(Image.fromarray(COLOR), icc_profile=b"profile"))
    np.testing.assert_array_equal(result, COLOR)
    assert notes == ["1 images have a color profile, which was ignored"]


def frames(kind, **options):
    second = Image.fromarray(255 - COLOR)
    return saved(Image.fromarray(COLOR), kind, save_all=True, append_images=[second], **options)


@pytest.mark.parametrize(
    ("content", "what", "got"),
    [
        (frames("GIF"), UNCLEAR, "several frames"),
        (frames("PNG"), UNCLEAR, "several frames"),
        (frames("WEBP"), UNCLEAR, "several frames"),
        (frames("TIFF"), "format that is not read", "TIFF"),
        (saved(Image.fromarray(GRAY.astype(np.float32)), "TIFF"), "format that is not", "TIFF"),
        (saved(Image.fromarray(COLOR), "JPEG2000"), "format that is not read", "JPEG 2000"),
        (saved(Image.fromarray(COLOR), "AVIF"), "format that is not read", "AVIF"),
        (saved(Image.fromarray(COLOR), "PPM"), "format that is not read", "PPM"),
        (png(DEEP[..., 0] % 200, 16, 0), UNCLEAR, "would be black"),
        (png(DEEP[..., 0] % 4096, 16, 0), UNCLEAR, "perhaps fewer bits in 16"),
        (png(DEEP[..., :3], 16, 2, tRNS=bytes(6)), UNCLEAR, "transparent color of 16 bits"),
        (png(np.dstack([COLOR | 255, ALPHA]), 8, 6), UNCLEAR, "one flat tone"),
        (png(np.dstack([COLOR, ALPHA & 0]), 8, 6), UNCLEAR, "one flat tone"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", "Git LFS", "oid"),
        (b"<!doctype html><html>", "web page", "HTML"),
        (b"", "cannot be decoded", "0 bytes"),
    ],
)  # fmt: skip
def test_what_has_no_clear_meaning_is_refused_with_a_remedy(content, what, got):
    with pytest.raises(DataError, match=what) as caught:
        decode(content)
    assert got in caught.value.got
    assert caught.value.where == "x.png"
    assert caught.value.fix


@pytest.mark.parametrize("mode", ["I", "F", "LAB", "HSV", "YCbCr", "RGBa", "La", "RGBX"])
def test_other_modes_are_refused_by_name(mode):
    with pytest.raises(UnclearPixelsError, match=f"mode {mode}$"):
        converted(Image.new(mode, (SIDE, SIDE)), "RGB", Counter())


@pytest.mark.parametrize(("mode", "kind"), [("I;16", "<u2"), ("I;16B", ">u2")])
def test_either_order_of_two_bytes(mode, kind):
    image = Image.frombytes(mode, (SIDE, SIDE), DEEP[..., 0].astype(kind).tobytes())
    result = np.asarray(converted(image, "L", Counter()))
    np.testing.assert_array_equal(result, deep_byte(DEEP[..., 0]))


def test_one_tone_without_transparency_is_an_image():
    assert (decode(png(COLOR | 255, 8, 2))[0] == 255).all()
    assert (decode(png(DEEP[..., 0] * 0, 16, 0))[0] == 0).all()
