"""Pickles in the names and forms of the kits that distribute miniImageNet."""

import collections
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.data.arrays import load_images, load_labels, load_manifest
from cactus.data.prepare import check_raw, prepare
from cactus.splits import SPLITS
from tests.unit.data.rawfiles import SETTINGS, mini_classes, write_files

Content = dict[Any, Any]
Form = Callable[[str], Content | bytes]

CLASSES = mini_classes()
PER_CLASS = 3
START = {"train": 0, "val": 64, "test": 80}  # the first number of each split's classes


def pixels(split: str) -> npt.NDArray[np.uint8]:
    """Images (N, 8, 8, 3), class by class; red, green and blue differ, and no two images do."""
    count = PER_CLASS * len(CLASSES[split])
    red = np.arange(count, dtype=np.uint8)[:, None, None] + np.zeros((8, 8), np.uint8)
    return np.stack([red, red + 100, red + np.arange(8, dtype=np.uint8) * 10], axis=3)


def cache(split: str, **changes: Any) -> Content:
    """The form of the original: indices of each class's images."""
    names = CLASSES[split]
    places = {name: list(range(3 * i, 3 * i + 3)) for i, name in enumerate(names)}
    return {"image_data": pixels(split), "class_dict": places} | changes


def with_classes(change: Callable[[str, list[int]], tuple[Any, Any]]) -> Form:
    """Change the names and the indices of the original form."""

    def content(split: str) -> Content:
        changed = (change(*item) for item in cache(split)["class_dict"].items())
        return cache(split, class_dict=dict(changed))

    return content


def labeled(split: str, **changes: Any) -> Content:
    """The form of the kits by Gidaris and Komodakis, and by Lee et al. (MetaOptNet)."""
    names, start = CLASSES[split], START[split]
    labels = [start + i for i in range(len(names)) for _ in range(PER_CLASS)]
    numbers = {name: start + i for i, name in enumerate(names)}
    return {"data": pixels(split), "labels": labels, "catname2label": numbers} | changes


def named(split: str, key: str = "images") -> Content:
    labels = [name for name in CLASSES[split] for _ in range(PER_CLASS)]
    return {key: pixels(split), "labels": labels}


def by_class(split: str, shape: Callable[[Any], Any] = lambda image: image) -> Content:
    groups = pixels(split).reshape(-1, PER_CLASS, 8, 8, 3)
    return {
        name: [shape(image).copy() for image in group]
        for name, group in zip(CLASSES[split], groups, strict=True)
    }


def by_number(split: str) -> Content:
    members = by_class(split, lambda image: image.transpose(2, 0, 1))
    return dict(enumerate(members.values()))


def default_dict(split: str) -> Content:
    return cache(split, class_dict=collections.defaultdict(list, cache(split)["class_dict"]))


def as_bytes(split: str) -> Content:
    return {key.encode(): value for key, value in labeled(split).items()}


GIDARIS = "miniImageNet_category_split_{}.pickle"
ORIGINAL = "mini-imagenet-cache-{}.pkl"
READ: dict[str, tuple[str, Form]] = {
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


def write(tmp_path: Path, name: str, form: Form) -> None:
    for split in CLASSES:
        content = form(split)
        raw = content if isinstance(content, bytes) else pickle.dumps(content)
        write_files(tmp_path / "raw/miniimagenet", {name.format(split): raw})


def run(tmp_path: Path) -> Path:
    mini = SETTINGS.miniimagenet.model_copy(update={"image_size": 8})
    settings = SETTINGS.model_copy(update={"miniimagenet": mini})
    check_raw("miniimagenet", settings, tmp_path / "raw")
    prepare("miniimagenet", settings, tmp_path / "raw", tmp_path / "out", synthetic=False)
    return tmp_path / "out"


def check_content(out: Path) -> None:
    for split in SPLITS:
        names = CLASSES[split]
        np.testing.assert_array_equal(load_images(out, split), pixels(split))
        np.testing.assert_array_equal(load_labels(out, split), np.repeat(range(len(names)), 3))
        assert load_manifest(out).splits[split].classes == names
