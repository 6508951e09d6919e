"""Ready-made vectors belong to images by their pixels, in every layout of their files."""

from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cactus.config.sections.base import UnfitError
from cactus.config.sections.embeddings.ready_vectors import ReadyVectors
from cactus.config.sections.embeddings.section import CustomEmbedding
from cactus.embed.ready_made.files import read_images
from cactus.embed.ready_made.method import Method, Settings
from cactus.errors import DataError

SPLITS = ("train", "val", "test")
COUNTS = (12, 5, 7)
LAYOUTS = {
    "channels last": lambda images: images,
    "channels first": lambda images: images.transpose(0, 3, 1, 2),
    "from 0 to 1": lambda images: images / 255,
    "float32 from 0 to 1": lambda images: (images / 255).astype(np.float32),
    "levels in floating point": lambda images: images.astype(np.float32),
    "int64": lambda images: images.astype(np.int64),
    "negatives": lambda images: 255 - images,
}
GRAY_LAYOUTS = {
    "without channels": lambda images: images[..., 0],
    "rows of pixels": lambda images: images.reshape(len(images), -1),
}
Arrays = dict[str, npt.NDArray[np.generic]]


def data(shape: tuple[int, int, int]) -> tuple[Arrays, Arrays]:
    """Return images and vectors of each split."""
    random = np.random.default_rng(0)
    images = {name: random.integers(0, 256, (count, *shape), dtype=np.uint8)
              for name, count in zip(SPLITS, COUNTS, strict=True)}  # fmt: skip
    vectors = {name: random.normal(size=(len(one), 6)).astype(np.float32)
               for name, one in images.items()}  # fmt: skip
    return images, vectors


def write(folder: Path, images: Arrays, vectors: Arrays, **names: str) -> Settings:
    """Write `.npz` files in the order of the rows, shuffled."""
    files = {}
    for split in SPLITS:
        order = np.random.default_rng(1).permutation(len(vectors[split]))
        arrays = {names.get("image_array", "X"): images[split][order],
                  names.get("written", "Z"): vectors[split][order], "Y": order}  # fmt: skip
        files[split] = str(folder / f"omniglot_6_{split}.npz")
        np.savez(files[split], **arrays)
    names.pop("written", None)
    return Settings(**files, **names)


def method(settings: Settings, shape: tuple[int, int, int]) -> Method:
    return Method(settings, shape, 0, torch.device("cpu"))


@pytest.mark.parametrize(
    ("layout", "shape"),
    [
        *product(LAYOUTS, [(28, 28, 1), (6, 8, 3), (3, 9, 3)]),
        *product(GRAY_LAYOUTS, [(28, 28, 1)]),
    ],
)
def test_each_image_gets_the_vector_of_equal_pixels(layout, shape, tmp_path):
    images, vectors = data(shape)
    change = {**LAYOUTS, **GRAY_LAYOUTS}[layout]
    settings = write(tmp_path, {name: change(one) for name, one in images.items()}, vectors)
    ready = method(settings, shape)
    for split in SPLITS:
        assert np.array_equal(ready.encode(images[split]), vectors[split])
    mixed = np.concatenate([images["test"][3:], images["train"][:2]])
    assert np.array_equal(
        ready.encode(mixed), np.concatenate([vectors["test"][3:], vectors["train"][:2]])
    )
    assert ready.total_steps(10) == 0
    assert ready.state_dict() == {}


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int64, np.float16])
def test_black_and_white_may_be_0_and_1(kind, tmp_path):
    images, vectors = data((8, 8, 1))
    drawn = {name: 255 * (one // 128) for name, one in images.items()}
    halves = {name: (one // 255).astype(kind) for name, one in drawn.items()}
    ready = method(write(tmp_path, halves, vectors), (8, 8, 1))
    assert np.array_equal(ready.encode(drawn["test"]), vectors["test"])


@pytest.mark.parametrize("written", ["Z", "Z_raw", "features"])
def test_arrays_are_found_by_their_names(written, tmp_path):
    images, vectors = data((8, 8, 1))
    names = {"vector_array": "features"} if written == "features" else {}
    settings = write(tmp_path, images, vectors, written=written, image_array="pixels", **names)
    assert np.array_equal(method(settings, (8, 8, 1)).encode(images["val"]), vectors["val"])


def test_vectors_in_npy_files_have_images_beside_them(tmp_path):
    images, vectors = data((8, 8, 1))
    for split in SPLITS:
        np.save(tmp_path / f"{split}.npy", vectors[split][::-1])
        np.save(tmp_path / f"{split}_images.npy", images[split][::-1])
    files = {split: str(tmp_path / f"{split}.npy") for split in SPLITS}
    settings = Settings(
        **files, images={split: str(tmp_path / f"{split}_images.npy") for split in SPLITS}
    )
    assert len(settings.files) == 6
    assert np.array_equal(method(settings, (8, 8, 1)).encode(images["test"]), vectors["test"])


def test_equal_images_share_a_vector(tmp_path):
    images, vectors = data((8, 8, 1))
    images["test"][2], vectors["test"][2] = images["train"][4], vectors["train"][4] * 1.0001
    ready = method(write(tmp_path, images, vectors), (8, 8, 1))
    assert np.array_equal(ready.encode(images["test"][2:3]), vectors["train"][4:5])
    vectors["test"][2] *= 1.1
    with pytest.raises(DataError, match="Two equal images have different"):
        method(write(tmp_path, images, vectors), (8, 8, 1))


def test_the_picture_shows_images_beside_their_neighbors(tmp_path):
    images, vectors = data((8, 8, 3))
    ready = method(write(tmp_path, images, vectors), (8, 8, 3))
    ready.diagnose(images["train"], tmp_path / "picture.png")
    picture = np.asarray(Image.open(tmp_path / "picture.png"))
    side = 56  # of an image: 8 pixels, enlarged
    near = vectors["train"] / np.linalg.norm(vectors["train"], axis=1, keepdims=True)
    second = np.argsort(-(near[:1] @ near.T)[0])[1]
    for place, row in enumerate((0, second)):
        left = 2 + place * (side + 2)
        assert np.array_equal(picture[2 : 2 + side : 7, left : left + side : 7],
                              images["train"][row])  # fmt: skip


@pytest.mark.parametrize(
    ("which", "change", "told"),
    [
        ("images", lambda one: one[:, :7], "another shape"),
        ("images", lambda one: one.astype(np.float32) / 127.5 - 1, "no gray levels"),
        ("images", lambda one: one * np.float32(0.7), "no gray levels"),
        ("images", lambda one: np.full(one.shape, np.nan), "no gray levels"),
        ("vectors", lambda one: one.astype(np.int64), "another kind"),
        ("vectors", lambda one: one[:, :, None], "another kind"),
        ("vectors", lambda one: one[:, :5], "differ in dimension"),
    ],
)
def test_files_of_another_kind_are_refused(which, change, told, tmp_path):
    images, vectors = data((8, 8, 1))
    changed = {"images": images, "vectors": vectors}[which]
    changed["val"] = change(changed["val"])
    with pytest.raises(DataError, match=told) as caught:
        method(write(tmp_path, images, vectors), (8, 8, 1))
    assert "val" in caught.value.where


def test_images_whose_axes_cannot_be_told_apart_are_refused(tmp_path):
    images, vectors = data((3, 3, 3))
    with pytest.raises(DataError, match="can be read in two ways") as caught:
        method(write(tmp_path, images, vectors), (3, 3, 3))
    assert "train" in caught.value.where
    assert "names" in caught.value.fix


def test_other_numbers_of_images_and_vectors_are_refused(tmp_path):
    images, vectors = data((8, 8, 1))
    settings = write(tmp_path, images, vectors)
    np.savez(settings.test, X=images["test"][1:], Z=vectors["test"])
    with pytest.raises(DataError, match="differ in number"):
        method(settings, (8, 8, 1))


def test_an_image_without_a_vector_is_named(tmp_path):
    images, vectors = data((8, 8, 1))
    ready = method(write(tmp_path, images, vectors), (8, 8, 1))
    images["val"][3, 0, 0] ^= 1
    with pytest.raises(DataError, match="no ready-made vector") as caught:
        ready.encode(images["val"])
    assert "1 of 5 images, the first is image 3" in caught.value.got


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"\x93NUMPY\x01\x00", b"text"])
def test_damaged_files_are_refused(content, tmp_path):
    images, vectors = data((8, 8, 1))
    settings = write(tmp_path, images, vectors)
    Path(settings.train).write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        method(settings, (8, 8, 1))


def test_python_objects_are_never_loaded(tmp_path):
    images, vectors = data((8, 8, 1))
    settings = write(tmp_path, images, vectors)
    np.savez(settings.train, X=images["train"], Z=np.array([{}] * 12, dtype=object))
    with pytest.raises(DataError, match="cannot be read"):
        method(settings, (8, 8, 1))


def test_a_missing_array_is_named(tmp_path):
    images, vectors = data((8, 8, 1))
    settings = write(tmp_path, images, vectors, written="z")
    with pytest.raises(DataError, match="lacks an array") as caught:
        method(settings, (8, 8, 1))
    assert "did you mean" in caught.value.fix or "known are" in caught.value.fix


@given(st.integers(0, 2**32 - 1), st.sampled_from([np.float16, np.float32, np.float64]))
def test_levels_survive_every_float_type(seed, dtype):
    images = np.random.default_rng(seed).integers(0, 256, (3, 4, 4, 1), dtype=np.uint8)
    images[0, 0, 0] = 255  # or the scale would be open
    with TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        np.save(path, (images / 255).astype(dtype))
        found = np.stack(list(read_images(path, "", (4, 4, 1), 3)))
    assert np.array_equal(found, images)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"train": "a.npz", "val": "a.npz"}, "test"),
        ({"train": "a.npz", "val": "a.npz", "test": "a.pt"}, "test"),
        ({"train": "a.npz", "val": "a.npy", "test": "a.npz"}, "images.val"),
        ({"train": "a.npz", "val": "a.npz", "test": "a.npz", "images": {"val": "b.npy"}},
         "images.val"),
    ],
)  # fmt: skip
def test_settings_that_name_too_few_files_are_refused(values, key):
    with pytest.raises(ValueError, match=key.split(".")[-1]) as caught:
        ReadyVectors(**values)
    error = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(error, UnfitError)
    assert ".".join(map(str, error.path)) == key


def test_vectors_are_an_embedding_whose_files_are_declared():
    files = {split: f"v/{split}.npz" for split in SPLITS}
    resolved = CustomEmbedding(per_dataset={"omniglot": {"vectors": files}}, module="own.py")
    with pytest.raises(ValueError, match="does not go with `vectors`"):
        resolved.resolve("omniglot")
    resolved = CustomEmbedding(vectors=files).resolve("omniglot")
    assert resolved.module == "cactus.embed.ready_made.method"
    assert resolved.files == list(files.values())
    with pytest.raises(ValueError, match="`module`, `vectors` or `like` is required"):
        CustomEmbedding()


def test_a_file_of_negatives_is_that_for_all_images(tmp_path):
    images, vectors = data((8, 8, 1))
    images["train"][1] = 255 - images["train"][0]
    ready = method(write(tmp_path, {k: 255 - one for k, one in images.items()}, vectors), (8, 8, 1))
    ready.fit(images["train"], *[None] * 2)  # type: ignore[arg-type]
    for split in SPLITS:
        assert np.array_equal(ready.encode(images[split]), vectors[split])
    assert np.array_equal(ready.encode(images["train"][:1]), vectors["train"][:1])


def test_the_vector_of_a_negative_stands_for_no_other_image(tmp_path):
    images, vectors = data((8, 8, 1))
    ready = method(write(tmp_path, images, vectors), (8, 8, 1))
    images["train"][1] = 255 - images["train"][0]
    with pytest.raises(DataError, match="1 of 12 images, the first is image 1"):
        ready.encode(images["train"])


def test_a_vector_that_is_not_finite_equals_no_other(tmp_path):
    images, vectors = data((8, 8, 1))
    images["train"][1], vectors["train"][1] = images["train"][0], np.nan
    with pytest.raises(DataError, match="Two equal images have different"):
        method(write(tmp_path, images, vectors), (8, 8, 1))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_a_vector_that_is_not_finite_is_refused_by_its_image(value, tmp_path):
    images, vectors = data((8, 8, 1))
    vectors["val"] = vectors["val"].astype(np.float64)
    vectors["val"][1, 0] = value
    ready = method(write(tmp_path, images, vectors), (8, 8, 1))
    ready.encode(images["test"])
    with pytest.raises(DataError, match="contain NaN or infinity") as error:
        ready.encode(images["val"])
    assert error.value.where == "the files under `vectors`"
    assert "the first is image 1" in error.value.got


@pytest.mark.parametrize("name", ["~/all.npz", "vectors/*.npz"])
def test_paths_are_written_out(name):
    with pytest.raises(ValueError, match="write out the path"):
        ReadyVectors(**dict.fromkeys(SPLITS, name))
