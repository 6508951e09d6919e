"""What pickles of miniImageNet hold: images and their classes, in the forms of several kits."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_MAX_LABEL = 1 << 31
_MAX_NAME = 200
_IMAGES = ("image_data", "images", "data")

# Images (height, width, 3) in an array or a list.
Pixels = Sequence[npt.NDArray[np.uint8]] | npt.NDArray[np.uint8]
Classes = dict[str, npt.NDArray[np.int64]]


class ContentError(ValueError):
    """A pickle holds something else; the message says what."""


def images_and_classes(content: Any) -> tuple[Pixels, Classes]:
    """Return images and, for each class's name, the indices of its images.

    A dict has the images as `image_data`, `images` or `data`, and one of

    - `class_dict`: the indices of each class's images;
    - `labels` for the images, names or numbers, and `catname2label` with the numbers' names;

    or it has nothing but the images of each class under the class's name.

    Raises
    ------
    ContentError
        It has another form, images of other shapes or types, or an image in two classes.
    """
    if not isinstance(content, dict):
        raise ContentError(f"a {describe(content)}, not a dict")
    fields = _by_text(content)
    name = next((name for name in _IMAGES if name in fields), None)
    if name is None:
        images, classes = _by_class(fields)
        _check_images(images)
    elif "class_dict" in fields:
        images = fields[name]
        _check_images(images)
        classes = _class_dict(fields["class_dict"], len(images))
    elif "labels" in fields:
        images = fields[name]
        _check_images(images)
        classes = _by_labels(fields["labels"], fields.get("catname2label"), len(images))
    else:
        raise ContentError(f"{describe(content)}: no class_dict and no labels")
    return images, classes


def describe(value: Any) -> str:
    """Say in a few words what a value is."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array {value.shape}"
    if isinstance(value, dict):
        first = [f"{_shown(key)}: {type(item).__name__}" for key, item in list(value.items())[:5]]
        if len(value) <= 5:
            first = [f"{_shown(key)}: {_describe_items(item)}" for key, item in value.items()]
        return f"dict of {len(value)} ({', '.join(first)}{', ...' if len(value) > 5 else ''})"
    return _describe_items(value)


def _describe_items(value: Any) -> str:
    if isinstance(value, list | tuple) and value:
        return f"{type(value).__name__} of {len(value)} like {_describe_one(value[0])}"
    return _describe_one(value)


def _describe_one(value: Any) -> str:
    return describe(value) if isinstance(value, np.ndarray) else type(value).__name__


def _shown(key: Any) -> str:
    return repr(key[:40]) if isinstance(key, str | bytes) else str(key)


def _by_text(items: dict[Any, Any]) -> dict[str, Any]:
    """Return a dict whose keys are text; Python 2 wrote bytes."""
    result: dict[str, Any] = {}
    for key, value in items.items():
        name = _text(key)
        if name in result:
            raise ContentError(f"the key {_shown(name)} twice, as text and as bytes or a number")
        result[name] = value
    return result


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ContentError("a name that is not UTF-8 text") from error
    if not isinstance(value, str | int) or (isinstance(value, str) and len(value) > _MAX_NAME):
        raise ContentError(f"a name that is a {type(value).__name__}, or too long")
    return str(value)


def _class_dict(classes: Any, count: int) -> Classes:
    """Return the indices of each class; every one is of an image, and each image in one class."""
    if not isinstance(classes, dict):
        raise ContentError(f"class_dict: {describe(classes)}, not a dict")
    owner: dict[int, str] = {}
    result: Classes = {}
    for label, values in _by_text(classes).items():
        items = values.tolist() if isinstance(values, np.ndarray) else values
        if not isinstance(items, list | tuple | range):
            raise ContentError(f"class {label}: {describe(values)}, not a list of indices")
        for index in items:
            if not isinstance(index, int) or not 0 <= index < count:
                problem = "indices that are negative, too large or no numbers"
                raise ContentError(f"class {label}: {problem}, for {count} images")
            if index in owner:
                problem = f"image {index} in {owner[index]} and in {label}"
                raise ContentError(f"class indices that repeat: {problem}")
            owner[index] = label
        result[label] = np.array(items, dtype=np.int64)
    return result


def _by_class(fields: dict[str, Any]) -> tuple[list[Any], Classes]:
    """Take a dict of nothing but each class's images."""
    images: list[Any] = []
    classes: Classes = {}
    for label, members in fields.items():
        if label.isdigit():
            raise ContentError(f"{describe(fields)}: classes are numbers, without names")
        if not isinstance(members, list | tuple | np.ndarray) or not _are_images(members):
            raise ContentError(f"{describe(fields)}: no {', '.join(_IMAGES[:-1])} or {_IMAGES[-1]}")
        classes[label] = np.arange(len(images), len(images) + len(members))
        images.extend(members)
    return images, classes


def _are_images(members: Any) -> bool:
    return all(isinstance(one, np.ndarray) and one.ndim == 3 for one in members)


def _by_labels(labels: Any, names: Any, count: int) -> Classes:
    """Group the images by label; numbers need names."""
    values = labels.tolist() if isinstance(labels, np.ndarray) else labels
    if not isinstance(values, list | tuple | range):
        raise ContentError(f"labels: {describe(labels)}, not a list")
    if len(values) != count:
        raise ContentError(f"{len(values)} labels for {count} images")
    if names is None:
        name_of = {value: _text(value) for value in values if isinstance(value, str | bytes)}
        problem = "labels that are numbers, without catname2label, which names them"
    else:
        name_of = _names_of_labels(names)
        problem = "a label that catname2label does not name"
    groups: dict[str, list[int]] = {}
    for index, value in enumerate(values):
        if not _is_label(value) or value not in name_of:
            raise ContentError(problem)
        groups.setdefault(name_of[value], []).append(index)
    return {label: np.array(indices, dtype=np.int64) for label, indices in groups.items()}


def _is_label(value: Any) -> bool:
    """Return whether a value may be looked up: large numbers can be made to collide."""
    number = isinstance(value, int) and 0 <= value < _MAX_LABEL
    return number or isinstance(value, str | bytes)


def _names_of_labels(names: Any) -> dict[Any, str]:
    """Return the names of labels, given the label of each name."""
    if not isinstance(names, dict):
        raise ContentError(f"catname2label: {describe(names)}, not a dict")
    name_of: dict[Any, str] = {}
    for name, label in _by_text(names).items():
        if not _is_label(label) or label in name_of:
            raise ContentError(f"catname2label: {_shown(name)} has no label of its own")
        name_of[label] = name
    return name_of


def _check_images(images: Any) -> None:
    """Check shape and type of all images, and that they do not share their bytes."""
    if isinstance(images, np.ndarray):
        if images.dtype != np.uint8 or images.ndim != 4:
            raise ContentError(f"images: {describe(images)}, not uint8 (N, height, width, 3)")
        _check_shape(images.shape[1:])
        return
    if not isinstance(images, list | tuple):
        raise ContentError(f"images: {describe(images)}, not an array")
    for image in images:
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
            raise ContentError(f"an image: {describe(image)}, not uint8 (height, width, 3)")
        _check_shape(image.shape)
    # A small pickle could else name the same bytes as millions of images.
    if len({image.__array_interface__["data"][0] for image in images}) != len(images):
        raise ContentError("one image in several places")


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or shape[2] != 3 or min(shape) < 1:
        raise ContentError(f"images of shape {shape}, not (height, width, 3) with channels last")
