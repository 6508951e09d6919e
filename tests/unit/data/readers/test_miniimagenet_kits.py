"""Pickles of miniImageNet in the names and forms of the kits that distribute it."""

import collections
import gzip
import pickle
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cactus.data.arrays import load_images, load_labels, load_manifest
from cactus.data.prepare import check_raw, prepare
from cactus.data.readers.miniimagenet_content import ContentError, images_and_classes
from cactus.errors import DataError
from tests.fuzz import examples
from tests.unit.data.rawfiles import SETTINGS, mini_classes, write_files, write_zip

CLASSES = mini_classes()
PER_CLASS = 3
START = {"train": 0, "val": 64, "test": 80}  # the first number of each split's classes


def pixels(split):
    """Images (N, 8, 8, 3), class by class; red, green and blue differ, and no two images do."""
    count = PER_CLASS * len(CLASSES[split])
    red = np.arange(count, dtype=np.uint8)[:, None, None] + np.zeros((8, 8), np.uint8)
    return np.stack([red, red + 100, red + np.arange(8, dtype=np.uint8) * 10], axis=3)


def cache(split, **changes):
    """The form of the original: indices of each class's images."""
    names = CLASSES[split]
    places = {name: list(range(3 * i, 3 * i + 3)) for i, name in enumerate(names)}
    return {"image_data": pixels(split), "class_dict": places} | changes


def with_classes(change):
    """Change the names and the indices of the original form."""

    def content(split):
        changed = (change(*item) for item in cache(split)["class_dict"].items())
        return cache(split, class_dict=dict(changed))

    return content


def labeled(split, **changes):
    """The form of the kits by Gidaris and Komodakis, and by Lee et al. (MetaOptNet)."""
    names, start = CLASSES[split], START[split]
    labels = [start + i for i in range(len(names)) for _ in range(PER_CLASS)]
    numbers = {name: start + i for i, name in enumerate(names)}
    return {"data": pixels(split), "labels": labels, "catname2label": numbers} | changes


def named(split, key="images"):
    labels = [name for name in CLASSES[split] for _ in range(PER_CLASS)]
    return {key: pixels(split), "labels": labels}


def by_class(split, shape=lambda image: image):
    groups = pixels(split).reshape(-1, PER_CLASS, 8, 8, 3)
    return {
        name: [shape(image).copy() for image in group]
        for name, group in zip(CLASSES[split], groups, strict=True)
    }


def by_number(split):
    members = by_class(split, lambda image: image.transpose(2, 0, 1))
    return dict(enumerate(members.values()))


def default_dict(split):
    return cache(split, class_dict=collections.defaultdict(list, cache(split)["class_dict"]))


def as_bytes(split):
    return {key.encode(): value for key, value in labeled(split).items()}


GIDARIS = "miniImageNet_category_split_{}.pickle"
ORIGINAL = "mini-imagenet-cache-{}.pkl"
READ = {
    "names of NumPy": (ORIGINAL, with_classes(lambda n, i: (np.str_(n), i))),
    "names in bytes": (ORIGINAL, with_classes(lambda n, i: (n.encode(), i))),
    "tuples": (ORIGINAL, with_classes(lambda n, i: (n, tuple(i)))),
    "ranges": (ORIGINAL, with_classes(lambda n, i: (n, range(i[0], i[-1] + 1)))),
    "arrays": (ORIGINAL, with_classes(lambda n, i: (n, np.array(i, np.int32)))),
    "numbers of NumPy": (ORIGINAL, with_classes(lambda n, i: (n, list(map(np.int64, i))))),
    "default dict": (ORIGINAL, default_dict),
    "ordered dict": (ORIGINAL, lambda split: collections.OrderedDict(cache(split))),
    "list of images": (ORIGINAL, lambda split: cache(split, image_data=list(pixels(split)))),
    "short names": ("{}.pkl", cache),
    "learn2learn's names": ("mini-imagenet-cache-{}.pickle", cache),
    "old protocol": (ORIGINAL, lambda split: pickle.dumps(cache(split), 0)),
    "labels with names": (GIDARIS, labeled),
    "keys in bytes": (GIDARIS, as_bytes),
    "labels in an array": (GIDARIS, lambda s: labeled(s, labels=np.array(labeled(s)["labels"]))),
    "labels that are names": ("mini_imagenet_{}.pickle", named),
    "labels that are names, in data": ("{}.p", lambda split: named(split, "data")),
    "images by class": ("miniimagenet_{}.pkl", by_class),
    "arrays by class": ("{}_dict.pkl", lambda s: {k: np.stack(v) for k, v in by_class(s).items()}),
}


def write(tmp_path, name, form):
    for split in CLASSES:
        content = form(split)
        raw = content if isinstance(content, bytes) else pickle.dumps(content)
        write_files(tmp_path / "raw/miniimagenet", {name.format(split): raw})


def run(tmp_path):
    mini = SETTINGS.miniimagenet.model_copy(update={"image_size": 8})
    settings = SETTINGS.model_copy(update={"miniimagenet": mini})
    check_raw("miniimagenet", settings, tmp_path / "raw")
    prepare("miniimagenet", settings, tmp_path / "raw", tmp_path / "out", synthetic=False)
    return tmp_path / "out"


def check_content(out):
    for split, names in CLASSES.items():
        np.testing.assert_array_equal(load_images(out, split), pixels(split))
        np.testing.assert_array_equal(load_labels(out, split), np.repeat(range(len(names)), 3))
        assert load_manifest(out).splits[split].classes == names


@pytest.mark.parametrize("form", READ)
def test_forms_whose_meaning_is_clear(tmp_path, form):
    write(tmp_path, *READ[form])
    check_content(run(tmp_path))


def test_training_images_of_the_kit_with_phases(tmp_path):
    """`train_phase_val` and `train_phase_test` are further images of the training classes."""
    write(tmp_path, GIDARIS, labeled)
    folder = tmp_path / "raw/miniimagenet"
    phase = "miniImageNet_category_split_train_phase_{}.pickle"
    (folder / GIDARIS.format("train")).rename(folder / phase.format("train"))
    for split in ("val", "test"):
        write_files(folder, {phase.format(split): pickle.dumps(labeled("train"))})
    out = run(tmp_path)
    check_content(out)
    assert any("2 other pickles were not used" in note for note in load_manifest(out).notes)


def test_second_download_of_one_pickle(tmp_path):
    write(tmp_path, ORIGINAL, cache)
    folder = tmp_path / "raw/miniimagenet"
    (folder / ORIGINAL.format("val")).rename(folder / "mini-imagenet-cache-val (1).pkl")
    with pytest.raises(DataError, match="missing") as caught:
        run(tmp_path)
    assert "mini-imagenet-cache-val (1).pkl (if it is" in caught.value.got


def test_zipped_and_compressed_pickles(tmp_path):
    packed = {
        f"kit/mini-imagenet-cache-{split}.pkl.gz": gzip.compress(pickle.dumps(cache(split)))
        for split in CLASSES
    }
    write_zip(tmp_path / "raw/miniimagenet/kit.zip", packed)
    check_content(run(tmp_path))


FOREIGN = "torch.storage.anything"


@pytest.mark.parametrize("packed", ["gz", "zip"])
def test_pickles_that_unpack_to_far_more_than_photographs_do(tmp_path, packed):
    content = b"\x80\x03B" + (100 << 20).to_bytes(4, "little") + bytes(100 << 20) + b"."
    write(tmp_path, ORIGINAL, cache)
    name = ORIGINAL.format("train")
    folder = tmp_path / "raw/miniimagenet"
    if packed == "gz":
        write_files(folder, {name: gzip.compress(content)})
    else:
        (folder / name).unlink()
        write_zip(folder / "train.zip", {name: content})
    with pytest.raises(DataError, match="bytes announced") as caught:
        run(tmp_path)
    assert name in caught.value.where


REFUSED = {
    "numbers for classes": ("mini_imagenet_{}.pickle", by_number, "(3, 8, 8)", "class_dict"),
    "flat images": ("{}_dict.pkl", lambda s: by_class(s, np.ravel), "array (192,)", "class_dict"),
    "labels without names": (
        GIDARIS,
        lambda s: {"data": pixels(s), "labels": labeled(s)["labels"]},
        "without catname2label",
        "class_dict",
    ),
    "a label without a name": (
        GIDARIS,
        lambda s: labeled(s, labels=[7] * len(pixels(s))),
        "does not name",
        "class_dict",
    ),
    "too few labels": (GIDARIS, lambda s: labeled(s, labels=[0]), "1 labels for", "class_dict"),
    "images of floats": (
        ORIGINAL,
        lambda s: cache(s, image_data=pixels(s) / 1),
        "float64",
        "uint8",
    ),
    "channels first": (
        ORIGINAL,
        lambda s: cache(s, image_data=pixels(s).transpose(0, 3, 1, 2)),
        "channels last",
        "RGB",
    ),
    "gray images": (ORIGINAL, lambda s: cache(s, image_data=pixels(s)[..., 0]), "(9, 8, 8)", "RGB"),
    "empty images": (
        ORIGINAL,
        lambda s: cache(s, image_data=pixels(s)[:, :0]),
        "(0, 8, 3)",
        "height",
    ),
    "not a number": (
        GIDARIS,
        lambda s: labeled(s, labels=[float("nan")] * len(pixels(s))),
        "does not name",
        "class_dict",
    ),
    "numbers as keys": (
        ORIGINAL,
        with_classes(lambda _, i: (1 << 20, i)),
        "1048576",
        "wnids",
    ),
    "another program's classes": (
        ORIGINAL,
        lambda s: pickle.dumps(cache(s)).replace(b"numpy._core.multiarray", FOREIGN.encode()),
        FOREIGN,
        "plain arrays",
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", REFUSED)
def test_other_forms_are_named_with_what_they_hold_and_a_remedy(tmp_path, form):
    name, content, shown, remedy = REFUSED[form]
    write(tmp_path, name, content)
    with pytest.raises(DataError) as caught:
        run(tmp_path)
    assert name.format("train") in caught.value.where
    assert shown in caught.value.got
    assert remedy in caught.value.fix
    assert "delete" not in caught.value.fix


def test_files_that_are_no_pickle_of_one_split_are_named(tmp_path):
    members = dict.fromkeys(("all.pickle", "train_images.npz", "train_data.hdf5"), b"")
    write_files(tmp_path / "raw/miniimagenet", members)
    with pytest.raises(DataError, match="missing") as caught:
        run(tmp_path)
    assert all(name in caught.value.got for name in members)
    assert "class_dict" in caught.value.fix


def test_missing_pickle_of_another_kit_is_named(tmp_path):
    write(tmp_path, GIDARIS, labeled)
    (tmp_path / "raw/miniimagenet" / GIDARIS.format("val")).unlink()
    with pytest.raises(DataError, match="missing") as caught:
        run(tmp_path)
    assert "val" in caught.value.got
    assert "miniImageNet_category_split_" in caught.value.got


def test_class_in_two_pickles_is_refused(tmp_path):
    write(tmp_path, ORIGINAL, cache)
    write_files(
        tmp_path / "raw/miniimagenet", {ORIGINAL.format("test"): pickle.dumps(cache("val"))}
    )
    with pytest.raises(DataError, match="does not hold") as caught:
        run(tmp_path)
    assert ORIGINAL.format("test") in caught.value.where
    assert CLASSES["val"][0] in caught.value.got
    assert "val split" in caught.value.got


def test_image_in_two_classes_is_refused(tmp_path):
    write(tmp_path, ORIGINAL, with_classes(lambda name, _: (name, [2, 0, 1])))
    with pytest.raises(DataError) as caught:
        run(tmp_path)
    assert f"image 2 in {CLASSES['train'][0]} and in {CLASSES['train'][1]}" in caught.value.got


def test_classes_that_are_not_listed_are_noted(tmp_path):
    def more(split):
        content = cache(split)
        count = len(content["image_data"])
        content["image_data"] = np.concatenate([content["image_data"]] * 2)
        content["class_dict"]["n99999999"] = list(range(count, 2 * count))
        return content

    write(tmp_path, ORIGINAL, more)
    out = run(tmp_path)
    check_content(out)
    notes = [note for note in load_manifest(out).notes if "n99999999" in note]
    assert len(notes) == 3


def colliding_labels(split):
    """Labels whose hashes are all 0."""
    numbers = {name: ((1 << 61) - 1) * i for i, name in enumerate(CLASSES[split], 1)}
    return labeled(split, catname2label=numbers)


def test_labels_that_could_collide_are_refused(tmp_path):
    write(tmp_path, GIDARIS, colliding_labels)
    with pytest.raises(DataError, match="does not hold") as caught:
        run(tmp_path)
    assert "no label of its own" in caught.value.got


def test_images_that_share_their_bytes_are_refused():
    images = np.zeros((2, 2, 2, 3), np.uint8)
    content = {"images": [images[0], images[0]], "labels": ["a", "b"]}
    with pytest.raises(ContentError, match="several places"):
        images_and_classes(content)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    | st.sampled_from([np.zeros((2, 2, 2, 3), np.uint8), np.zeros((0, 2)), np.array(["a", "b"])]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["image_data", "images", "data", "labels", "class_dict", "catname2label"])
        | st.text(max_size=2) | st.binary(max_size=2) | st.integers(0, 9), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.fuzz
@examples(300)
@given(VALUES, st.dictionaries(st.text(max_size=1), VALUES, max_size=2), VALUES)
def test_any_content_is_read_or_refused(value, classes, labels):
    images = np.zeros((2, 2, 2, 3), np.uint8)
    for content in (
        value,
        {"images": images, "class_dict": classes},
        {"data": images, "labels": labels, "catname2label": classes},
        {"data": value, "labels": [0, 1], "catname2label": {"a": 0, "b": 1}},
    ):
        try:
            read, places = images_and_classes(content)
        except ContentError as error:
            assert str(error)  # noqa: PT017
        else:
            assert all(0 <= i < len(read) for indices in places.values() for i in indices)


def hostile_labels():
    """Run in a process of its own, with 200 MiB more than after the imports."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20), used + (200 << 20)))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    images = np.zeros((1, 2, 2, 3), np.uint8)
    for labels in (range(1 << 40), range(1 << 40, 0, -1), [0] * 10):
        for content in (
            {"data": images, "labels": labels, "catname2label": {"a": 0}},
            {"image_data": images, "class_dict": {"a": labels}},
        ):
            with pytest.raises(ContentError):
                images_and_classes(content)


def test_huge_ranges_are_refused_in_little_time_and_memory():
    code = "import sys; sys.path[:0] = ['workflow/scripts', '.']\n"
    code += "from tests.unit.data.readers import test_miniimagenet_kits\n"
    code += "test_miniimagenet_kits.hostile_labels()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[4], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
