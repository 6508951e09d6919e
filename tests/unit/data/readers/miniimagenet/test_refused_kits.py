"""Pickles of miniImageNet whose form or meaning is not clear."""

import pickle
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cactus.data.arrays import load_sources
from cactus.data.readers.miniimagenet_content import ContentError, images_and_classes
from cactus.errors import DataError
from tests.fuzz import examples
from tests.unit.data.rawfiles import write_files
from tests.unit.data.readers.miniimagenet.kits import (
    CLASSES,
    GIDARIS,
    ORIGINAL,
    by_class,
    by_number,
    cache,
    check_content,
    labeled,
    pixels,
    run,
    with_classes,
    write,
)

FOREIGN = "torch.storage.anything"
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
    notes = [note for note in load_sources(out).notes if "n99999999" in note]
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
    code += "from tests.unit.data.readers.miniimagenet import test_refused_kits\n"
    code += "test_refused_kits.hostile_labels()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[5], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
