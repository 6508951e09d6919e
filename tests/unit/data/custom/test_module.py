"""Data sets that a module returns: the digits of scikit-learn, and modules that return nonsense."""

import textwrap
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from cactus.data.arrays import Manifest, load_images, load_labels, load_manifest, load_sources
from cactus.data.prepare import prepare
from cactus.errors import CactusError, ConfigError, DataError
from cactus.splits import SPLITS
from tests.unit.data.custom.drawing import settings

DIGITS = str(Path(__file__).parents[4] / "docs/examples/digits.py")
SPLIT = {
    "split": {
        "classes": {"train": list("0123"), "val": list("456"), "test": list("789")},
    }
}


def prepared(tmp_path: Path, module: str, **own: object) -> Manifest:
    keys = {"image_size": 8, "channels": 1, "module": module, **own}
    chosen = settings("digits", **keys)
    prepare("digits", chosen, tmp_path / "raw", tmp_path / "out", synthetic=False)
    return load_manifest(tmp_path / "out")


def written(tmp_path: Path, body: str) -> str:
    path = tmp_path / "mine.py"
    head = "import numpy as np\nfrom cactus.config.sections import base\n"
    path.write_text(f"{head}\n\nclass Settings(base.Settings):\n    count: int = 4\n\n\n{body}")
    return str(path)


def refused(tmp_path: Path, returned: str, **own: object) -> CactusError:
    body = f"def read(settings):\n    {returned}\n"
    with pytest.raises(CactusError) as error:
        prepared(tmp_path, written(tmp_path, body), **own)
    assert not list((tmp_path / "out").glob("*.npy"))
    return error.value


def test_digits_keep_their_pixels_and_order(tmp_path):
    prepared(tmp_path, DIGITS, **SPLIT)
    digits = load_digits()
    expected = [digits.images[digits.target == label] for label in range(4)]
    found = load_images(tmp_path / "out", "train")
    assert found.shape[1:] == (8, 8, 1)
    np.testing.assert_array_equal(found[..., 0], np.round(np.concatenate(expected) * 255 / 16))
    labels = load_labels(tmp_path / "out", "train")
    np.testing.assert_array_equal(np.bincount(labels), [len(one) for one in expected])
    assert load_sources(tmp_path / "out").raw == []


def test_the_modules_settings_reach_it(tmp_path):
    prepared(tmp_path, DIGITS, **SPLIT)
    plain = np.array(load_images(tmp_path / "out", "test"))
    prepared(tmp_path, DIGITS, settings={"inverted": True}, **SPLIT)
    np.testing.assert_array_equal(load_images(tmp_path / "out", "test"), 255 - plain)


def test_digits_can_be_split_like_mnist(tmp_path):
    shares = {"shares": [0.8, 0.1, 0.1], "seed": 1}
    manifest = prepared(tmp_path, DIGITS, shared_classes=True, split=shares)
    sizes = [manifest.splits[split].images.shape[0] for split in SPLITS]
    assert sum(sizes) == 1797
    assert all(one.classes == list("0123456789") for one in manifest.splits.values())


def test_a_module_may_split_and_give_images_of_any_size(tmp_path):
    body = textwrap.dedent(
        """
        def read(settings):
            sizes = [(9 + n, 11, 3) for n in range(3 * settings.count)]
            images = [np.full(size, n, np.uint8) for n, size in enumerate(sizes)]
            splits = np.repeat(["train", "val", "test"], settings.count)
            return images, [f"of {split}" for split in splits], splits
        """
    )
    manifest = prepared(tmp_path, written(tmp_path, body), channels=3)
    assert manifest.splits["val"].classes == ["of val"]
    found = load_images(tmp_path / "out", "val")
    assert [np.unique(one).tolist() for one in found] == [[4], [5], [6], [7]]


def test_images_of_pillow_are_read_as_files_are(tmp_path):
    body = textwrap.dedent(
        """
        from PIL import Image

        def read(settings):
            red = Image.new("P", (8, 8), 7)
            red.putpalette([0, 0, 0] * 7 + [200, 40, 10])
            clear = Image.new("RGBA", (8, 8), (0, 90, 0, 255))
            clear.putpixel((0, 0), (0, 0, 0, 0))
            images = [image for image in (red, clear, Image.new("1", (8, 8), 1)) for _ in range(3)]
            return images, list("aaabbbccc"), [*["train"] * 3, *["val"] * 3, *["test"] * 3]
        """
    )
    prepared(tmp_path, written(tmp_path, body), channels=3)
    pixels = {split: load_images(tmp_path / "out", split)[0] for split in SPLITS}
    assert (pixels["train"] == [200, 40, 10]).all()
    assert pixels["val"][0, 0].tolist() == [255, 255, 255]
    assert pixels["val"][1, 1].tolist() == [0, 90, 0]
    assert (pixels["test"] == 255).all()


@pytest.mark.parametrize(
    ("returned", "got"),
    [
        ("return None", "NoneType"),
        ("return [1, 2]", "list"),
        ("return np.zeros((0, 8, 8), np.uint8), []", "no image"),
        ("return np.zeros((3, 8, 8), np.uint8), ['a']", "3 and 1"),
        ("return iter([]), []", "len()"),
        ("return np.zeros((2, 8, 8), np.uint8), [0.5, 1.0]", "0.5 as a class"),
        ("return np.zeros((2, 8, 8), np.uint8), [None, None]", "None as a class"),
        ("return np.zeros((2, 8, 8), np.uint8), [0, 1]", "no split"),
    ],
)
def test_what_is_no_images_with_classes_is_named(tmp_path, returned, got):
    assert got in refused(tmp_path, returned).got


@pytest.mark.parametrize(
    "image", ["np.zeros((8, 8))", "np.zeros((8, 8, 4), np.uint8)", "np.uint8(3)"]
)
def test_what_is_no_image_is_named(tmp_path, image):
    names = "['a', 'b', 'c'] * 2, ['train', 'val', 'test'] * 2"
    error = refused(tmp_path, f"return [{image}] * 6, {names}")
    assert "image 0 as" in error.got


def test_a_class_in_two_splits_is_named(tmp_path):
    error = refused(
        tmp_path,
        "return np.zeros((4, 8, 8), np.uint8), [1, 2, 3, 1], ['train', 'val', 'test', 'test']",
        min_images_per_class=1,
    )
    assert isinstance(error, DataError)
    assert error.where.endswith("class 1")


@pytest.mark.parametrize(
    ("module", "what"), [("none.py", "cannot be imported"), ("json", "has no function `read`")]
)
def test_a_module_that_cannot_be_used_is_named(tmp_path, module, what):
    with pytest.raises(ConfigError, match=what):
        prepared(tmp_path, module)


def test_wrong_settings_are_named(tmp_path):
    with pytest.raises(ConfigError) as error:
        prepared(tmp_path, DIGITS, settings={"inverted": "perhaps"})
    assert error.value.where == "data.custom.digits.settings.inverted"
