"""Ready-made vectors belong to images by the names of the prepared data."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from cactus.config.sections.embeddings.ready_vectors import ReadyVectors
from cactus.config.sections.embeddings.section import CustomEmbedding
from cactus.data.array_files import write_array
from cactus.data.arrays import Manifest, SplitRecord, array_record, write_labels, write_manifest
from cactus.data.names import write_names
from cactus.embed.ready_made.method import Method, Settings
from cactus.embed.train_and_encode import train_and_encode
from cactus.errors import DataError
from tests.unit.checkpoints import none

CPU = torch.device("cpu")
SPLITS = ("train", "val", "test")
COUNTS = (12, 5, 7)
Vectors = dict[str, npt.NDArray[np.float32]]
NAMES = {
    split: [f"Alphabet {index}/character{place % 2}/{place:04}_01" for place in range(count)]
    for index, (split, count) in enumerate(zip(SPLITS, COUNTS, strict=True))
}


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """Return prepared data of random images."""
    folder, random, splits = tmp_path / "data", np.random.default_rng(0), {}
    for split, count in zip(SPLITS, COUNTS, strict=True):
        images = random.integers(0, 256, (count, 8, 8, 1), dtype=np.uint8)
        path = folder / f"{split}_images.npy"
        write_array(path, images)
        splits[split] = SplitRecord(
            images=array_record(path, images.shape, "uint8"),
            labels=write_labels(folder / f"{split}_labels.npy", np.zeros(count, np.int64)),
            classes=["a"],
        )
        write_names(folder, split, NAMES[split])
    write_manifest(
        folder,
        Manifest(dataset="omniglot", synthetic=False, image_shape=(8, 8, 1),
                 splits=splits),
    )  # fmt: skip
    return folder


@pytest.fixture
def vectors() -> Vectors:
    random = np.random.default_rng(1)
    return {
        split: random.normal(size=(len(names), 6)).astype(np.float32)
        for split, names in NAMES.items()
    }


def write(
    folder: Path, vectors: Vectors, form: str = "txt", names: dict[str, list[str]] = NAMES
) -> dict[str, object]:
    """Write vectors and names in one random order; return the keys of the configuration."""
    files, lists = {}, {}
    for split in SPLITS:
        order = np.random.default_rng(2).permutation(len(vectors[split]))
        shuffled = [names[split][place] for place in order]
        files[split] = str(folder / f"{split}.{'npy' if form == 'txt' else 'npz'}")
        if form == "txt":
            np.save(files[split], vectors[split][order])
            lists[split] = str(folder / f"{split}.txt")
            Path(lists[split]).write_text("\n".join(shuffled), encoding="utf-8")
        else:
            text = np.array(shuffled, dtype=form)
            np.savez(files[split], Z=vectors[split][order], file_names=text)
    return {**files, "names": lists} if lists else {**files, "name_array": "file_names"}


def method(keys: dict[str, object], data_folder: Path) -> Method:
    ready = Method(Settings.model_validate(keys), (8, 8, 1), 0, CPU)
    ready.read_names(data_folder)
    return ready


@pytest.mark.parametrize("form", ["txt", "U", "S"])
def test_each_image_gets_the_vector_of_its_name(form, data_folder, vectors, tmp_path):
    keys = write(tmp_path, vectors, form)
    custom, output = CustomEmbedding(vectors=keys), tmp_path / "out"
    assert custom.reads_names("omniglot")
    settings = custom.resolve("omniglot")
    train_and_encode("mine", settings, data_folder, output, 0, CPU, "mine", none(tmp_path))
    for split in SPLITS:
        assert np.array_equal(np.load(output / f"{split}.npy"), vectors[split])
    declared = {*keys.get("names", {}).values(), *(keys[split] for split in SPLITS)}
    assert set(settings.files) == declared


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_one_list_may_hold_all_splits_and_more(ending, data_folder, vectors, tmp_path):
    names = [*NAMES["test"], "another", *NAMES["train"], *NAMES["val"]]
    every = np.concatenate([vectors["test"], np.ones((1, 6), np.float32), vectors["train"],
                            vectors["val"]])  # fmt: skip
    np.save(tmp_path / "all.npy", every)
    (tmp_path / "all.txt").write_bytes(
        b"\xef\xbb\xbf" + "".join(f"{name}{ending}" for name in names).encode()
    )
    keys = dict.fromkeys(SPLITS, str(tmp_path / "all.npy"))
    listed = dict.fromkeys(SPLITS, str(tmp_path / "all.txt"))
    ready = method({**keys, "names": listed}, data_folder)
    for split in SPLITS:
        images = np.load(data_folder / f"{split}_images.npy")
        assert np.array_equal(ready.encode(images), vectors[split])


def test_one_file_of_all_splits_may_be_spelled_in_several_ways(data_folder, vectors, tmp_path):
    every = np.concatenate([vectors[split] for split in SPLITS])
    np.save(tmp_path / "all.npy", every)
    (tmp_path / "all.txt").write_text("\n".join(name for split in SPLITS for name in NAMES[split]))
    (tmp_path / "link").symlink_to(tmp_path)
    spelled = [f"{tmp_path}/{path}all" for path in ("", "./", "link/")]
    keys = {split: f"{path}.npy" for split, path in zip(SPLITS, spelled, strict=True)}
    listed = {split: f"{path}.txt" for split, path in zip(SPLITS, spelled, strict=True)}
    ready = method({**keys, "names": listed}, data_folder)
    images = np.load(data_folder / "val_images.npy")
    assert np.array_equal(ready.encode(images), vectors["val"])


@pytest.mark.parametrize("spelled", ["./{}", "Alphabet 9/../{}", "{}/."])
def test_a_name_is_the_same_in_another_spelling(spelled, data_folder, vectors, tmp_path):
    names = {**NAMES, "val": [spelled.format(name) for name in NAMES["val"]]}
    ready = method(write(tmp_path, vectors, names=names), data_folder)
    images = np.load(data_folder / "val_images.npy")
    assert np.array_equal(ready.encode(images), vectors["val"])
    twice = {**NAMES, "val": [*NAMES["val"][:4], spelled.format(NAMES["train"][1])]}
    with pytest.raises(DataError, match="have the same name") as caught:
        method(write(tmp_path, vectors, names=twice), data_folder)
    one = NAMES["train"][1]
    assert caught.value.got in (f"{spelled.format(one)}, which is {one}", one)


def test_missing_and_unknown_names_are_counted_and_shown(data_folder, vectors, tmp_path):
    names = {**NAMES, "val": [f"{name}.png" for name in NAMES["val"]]}
    with pytest.raises(DataError, match="no ready-made vector of their name") as caught:
        method(write(tmp_path, vectors, names=names), data_folder)
    first, last = NAMES["val"][0], NAMES["val"][2]
    assert f"5 of 24 images have none: {first}, " in caught.value.got
    assert f"{last} and 2 more; 5 names are of no image: {first}.png, " in caught.value.got
    assert f"{first}: did you mean '{first}.png'?" in caught.value.fix
    assert "<split>_names.txt" in caught.value.fix


def test_a_name_that_occurs_twice_is_refused(data_folder, vectors, tmp_path):
    names = {**NAMES, "val": [*NAMES["val"][:3], NAMES["train"][1], NAMES["val"][0]]}
    with pytest.raises(DataError, match="have the same name") as caught:
        method(write(tmp_path, vectors, names=names), data_folder)
    assert caught.value.got in (
        f"{NAMES['train'][1]}, {NAMES['val'][0]}", f"{NAMES['val'][0]}, {NAMES['train'][1]}",
    )  # fmt: skip
    assert "val.txt" in caught.value.where


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a\nb\n", "differ in number"),
        (b"a\n\nb\nc\nd\n", "is empty"),
        (b"\xff\n" * 5, "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_list_of_another_kind_is_refused(content, told, data_folder, vectors, tmp_path):
    keys = write(tmp_path, vectors)
    (tmp_path / "val.txt").unlink()
    if content is not None:
        (tmp_path / "val.txt").write_bytes(content)
    with pytest.raises(DataError, match=told) as caught:
        method(keys, data_folder)
    assert "val.txt" in caught.value.where


@pytest.mark.parametrize("names", [np.arange(5), np.array([["a"] * 5]), np.array(["a"] * 4)])
def test_an_array_of_another_kind_is_refused(names, data_folder, vectors, tmp_path):
    keys = write(tmp_path, vectors, "U")
    np.savez(tmp_path / "val.npz", Z=vectors["val"], file_names=names)
    with pytest.raises(DataError, match=r"another kind|differ in number"):
        method(keys, data_folder)
    np.savez(tmp_path / "val.npz", Z=vectors["val"], file_names=np.array(["a"], dtype=object))
    with pytest.raises(DataError, match="cannot be read"):
        method(keys, data_folder)


def test_equal_images_of_two_names_have_one_vector(data_folder, vectors, tmp_path):
    images = np.load(data_folder / "val_images.npy")
    images[3] = images[1]
    np.save(data_folder / "val_images.npy", images)
    with pytest.raises(DataError, match="Two equal images have different") as caught:
        method(write(tmp_path, vectors), data_folder)
    assert caught.value.where == NAMES["val"][3]
    vectors["val"][3] = vectors["val"][1]
    ready = method(write(tmp_path, vectors), data_folder)
    assert np.array_equal(ready.encode(images), vectors["val"])


NPY = {"train": "a.npy", "val": "b.npy", "test": "c.npy"}
NPZ = {"train": "a.npz", "val": "b.npz", "test": "c.npz"}
TXT = {"train": "a.txt", "val": "b.txt", "test": "c.txt"}


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({**NPY, "names": {"train": "a.txt", "test": "c.txt"}}, "names.val"),
        ({**NPY, "name_array": "names"}, "names.train"),
        ({**NPZ, "name_array": "names", "names": {"val": "b.txt"}}, "names.val"),
        ({**NPY, "names": TXT, "images": {"test": "d.npy"}}, "images.test"),
    ],
)
def test_keys_that_say_too_much_or_too_little_are_refused(keys, where):
    with pytest.raises(ValueError, match=where.split(".")[-1]) as caught:
        ReadyVectors(**keys)
    assert ".".join(map(str, caught.value.errors()[0]["ctx"]["error"].path)) == where


def test_names_may_be_given_for_one_data_set():
    own = {"omniglot": {"vectors": {"names": TXT}}}
    custom = CustomEmbedding(vectors={**NPZ, "name_array": ""}, per_dataset=own)
    assert custom.reads_names("omniglot")
    assert not custom.reads_names("mnist")
    assert not CustomEmbedding(module="mine.py").reads_names("mnist")
