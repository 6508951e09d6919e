import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cactus.data.readers.image_fitter import ImageFitter, center_square
from cactus.errors import DataError
from tests.unit.data.rawfiles import jpeg, png

LIMIT = 1 << 20


def fitter(mode="RGB", side=8, resize="bilinear", crop_side=None, max_bytes=LIMIT):
    return ImageFitter(mode, side, resize, max_bytes, crop_side)


def test_image_of_the_right_size_stays_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    tool = fitter(resize="lanczos")
    np.testing.assert_array_equal(tool.decode(png(image), "x"), image)
    assert tool.notes() == []


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_color_mode_is_converted(mode):
    buffer = io.BytesIO()
    image = Image.new("RGB", (8, 8), (255, 255, 255)).convert(mode)
    image.save(buffer, "JPEG" if mode == "CMYK" else "PNG")
    for target, channels in (("RGB", 3), ("L", 1)):
        result = fitter(target).decode(buffer.getvalue(), "x")
        assert result.shape == (8, 8, channels)
        assert (result >= 250).all()


def test_box_filter_is_the_mean_of_blocks():
    image = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
    result = fitter("L", resize="box").decode(png(image), "x")[..., 0]
    means = image.reshape(8, 2, 8, 2).astype(float).mean(axis=(1, 3))
    assert np.abs(result - means).max() <= 1


def test_one_bit_images_are_turned_gray_before_they_shrink():
    stripes = np.zeros((16, 16), dtype=bool)
    stripes[::2] = True
    buffer = io.BytesIO()
    Image.fromarray(stripes).save(buffer, "PNG")
    result = fitter("L", resize="box").decode(buffer.getvalue(), "x")
    assert set(np.unique(result)) <= {127, 128}


@given(width=st.integers(1, 60), height=st.integers(1, 60), fraction=st.floats(0.01, 1.0))
def test_center_square(width, height, fraction):
    rows, columns = np.mgrid[:height, :width]
    image = Image.fromarray((rows * 4).astype(np.uint8))
    square = np.asarray(center_square(image, fraction))
    side = max(1, round(fraction * min(width, height)))
    assert square.shape == (side, side)
    top = square[0, 0] // 4
    # As much is left over above as below, up to one row.
    assert abs((height - side - top) - top) <= 1
    assert columns.shape == rows.shape


def test_crop_of_a_portrait():
    image = np.zeros((218, 178, 3), dtype=np.uint8)
    image[20:198] = 100
    tool = fitter(side=84, crop_side=178)
    assert (tool.decode(png(image), "x") == 100).all()
    # 89 of 178 pixels: the inner quarter.
    image[:] = 0
    image[65:154, 45:134] = 100
    tool = fitter(side=84, crop_side=89, resize="box")
    assert (tool.decode(png(image), "x") == 100).mean() > 0.95
    assert "89/178" in tool.notes()[0]


def test_notes_stay_short():
    tool = fitter()
    for side in range(10, 20):
        tool.decode(png(np.zeros((side, side, 3), np.uint8)), "x")
    assert tool.notes() == ["10 images of 10 sizes were resized to 8x8 (bilinear)"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no image",
        jpeg(np.zeros((50, 50, 3), np.uint8))[:300],
        png(np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8))[:300],
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"\xff\xd8\xff\xe0" + bytes(50),
    ],
)
def test_undecodable_bytes_are_named(content):
    with pytest.raises(DataError, match="cannot be decoded") as caught:
        fitter().decode(content, "folder/image.jpg")
    assert caught.value.where == "folder/image.jpg"


def test_zeros_in_place_of_the_rest_of_a_jpeg_are_refused():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = jpeg(noise)
    fitter = ImageFitter("RGB", 64, "box", 1 << 20)
    expected = fitter.decode(whole, "x")
    np.testing.assert_array_equal(fitter.decode(whole + bytes(99), "x"), expected)
    half = len(whole) // 2
    with pytest.raises(DataError, match="cannot be decoded") as caught:
        fitter.decode(whole[:half] + bytes(half), "x")
    assert "zeros in place of its end" in caught.value.got


def test_an_image_above_the_limit_of_pillow_is_named():
    content = bytearray(png(np.zeros((1, 1), np.uint8)))
    content[16:24] = struct.pack(">II", 20_000, 20_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    with pytest.raises(DataError, match="larger than Pillow opens") as caught:
        fitter("RGB").decode(bytes(content), "x.png")
    assert "400000000 pixels" in caught.value.got


def test_image_bomb_is_refused_before_it_is_decoded():
    content = png(np.zeros((2000, 2000), np.uint8))
    assert len(content) < 10_000
    with pytest.raises(DataError, match="larger than allowed") as caught:
        fitter("RGB").decode(content, "x")
    assert caught.value.got == "2000x2000 pixels"
