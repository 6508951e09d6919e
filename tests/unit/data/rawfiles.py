"""Tiny raw files of the four data sets, in the forms that circulate."""

import gzip
import io
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from cactus.config.sections.data.section import (
    CelebaData,
    DataSettings,
    MiniImagenetData,
    MnistData,
    OmniglotData,
)
from cactus.data.readers.miniimagenet_lists import ravi_classes

SETTINGS = DataSettings(
    download=False,
    mnist=MnistData(val_size=20, min_images_per_class=2),
    omniglot=OmniglotData(train_characters=4, val_characters=2, min_images_per_class=3),
    miniimagenet=MiniImagenetData(min_images_per_class=3),
    celeba=CelebaData(min_images=3),
)
TarMode = Literal["w", "w:gz", "w:xz", "w:bz2"]
# Content by file name; raw files by class; class names by split.
Members = dict[str, bytes]
ByClass = dict[str, Members]
Classes = dict[str, list[str]]
Array = npt.NDArray[np.uint8]
ATTRIBUTE_NAMES = [f"Attribute_{i}" for i in range(40)]


def png(image: Array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(image: Array, quality: int = 95) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def flat_jpeg(color: int, size: tuple[int, int] = (84, 84)) -> bytes:
    """A jpeg of one gray level, which every decoder returns exactly."""
    return jpeg(np.full((size[1], size[0], 3), color, dtype=np.uint8))


def write_files(folder: Path, members: Mapping[str, bytes]) -> None:
    for name, content in members.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write_zip(path: Path, members: Mapping[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def write_tar(path: Path, members: Mapping[str, bytes], mode: TarMode = "w:gz") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def write_any(root: Path, name: str, members: Mapping[str, bytes], packing: str) -> None:
    """Lay members into a raw folder: unpacked, zipped or in a tar archive."""
    if packing == "folder":
        write_files(root, members)
    elif packing == "zip":
        write_zip(root / f"{name}.zip", members)
    else:
        modes: dict[str, TarMode] = {
            "tar": "w",
            "tar.gz": "w:gz",
            "tgz": "w:gz",
            "tar.xz": "w:xz",
            "tar.bz2": "w:bz2",
        }
        write_tar(root / f"{name}.{packing}", members, modes[packing])


def idx(array: Array) -> bytes:
    header = struct.pack(f">I{array.ndim}I", 0x0800 | array.ndim, *array.shape)
    return header + array.tobytes()


def mnist_arrays(train: int = 60, test: int = 40, side: int = 28) -> dict[str, Array]:
    generator = np.random.default_rng(0)
    arrays = {}
    for name, count in (("train", train), ("t10k", test)):
        arrays[f"{name}-images"] = generator.integers(0, 256, (count, side, side), dtype=np.uint8)
        arrays[f"{name}-labels"] = (np.arange(count) % 10).astype(np.uint8)
    return arrays


def mnist_members(
    arrays: Mapping[str, Array], *, compressed: bool = True, dot: bool = False
) -> Members:
    members = {}
    for name, array in arrays.items():
        file = f"{name}{'.' if dot else '-'}idx{array.ndim}-ubyte"
        content = idx(array)
        members[f"{file}.gz" if compressed else file] = (
            gzip.compress(content) if compressed else content
        )
    return members


def omniglot_members(drawers: int = 3, characters: int = 2) -> ByClass:
    """Two alphabets in each part; each drawing has one black pixel row of its own."""
    parts: ByClass = {"images_background": {}, "images_evaluation": {}}
    identity = 0
    for part, members in parts.items():
        for alphabet in ("One", "Two"):
            for character in range(1, characters + 1):
                identity += 1
                for drawer in range(1, drawers + 1):
                    page = np.full((105, 105), 255, dtype=np.uint8)
                    page[4 * identity : 4 * identity + 4, : 30 * drawer] = 0
                    buffer = io.BytesIO()
                    Image.fromarray(page).convert("1").save(buffer, "PNG")
                    name = f"{part}_{alphabet}/character{character:02d}/{identity:04d}_{drawer:02d}"
                    members[f"{part}/{name}.png"] = buffer.getvalue()
    return parts


def mini_classes(train: int = 3, val: int = 2, test: int = 2) -> Classes:
    """Some classes of each split of the published lists."""
    lists = ravi_classes().split_of
    counts = {"train": train, "val": val, "test": test}
    return {
        split: sorted(name for name, of in lists.items() if of == split)[:count]
        for split, count in counts.items()
    }


def mini_images(classes: Classes, per_class: int = 4, size: tuple[int, int] = (84, 84)) -> ByClass:
    """Images by class: name -> jpeg of one gray level that no other image has."""
    images: ByClass = {}
    level = 0
    for names in classes.values():
        for wnid in names:
            images[wnid] = {}
            for i in range(1, per_class + 1):
                level += 5
                images[wnid][f"{wnid}{i:08d}.jpg"] = flat_jpeg(level, size)
    return images


def mini_csv(classes: Classes, images: ByClass) -> Members:
    return {
        f"{split}.csv": "".join(
            ["filename,label\n", *(f"{file},{name}\n" for name in names for file in images[name])]
        ).encode()
        for split, names in classes.items()
    }


def mini_flat(classes: Classes, images: ByClass) -> Members:
    members = {f"images/{file}": data for group in images.values() for file, data in group.items()}
    return members | mini_csv(classes, images)


def mini_split_folders(classes: Classes, images: ByClass) -> Members:
    return {
        f"{split}/{name}/{file}": data
        for split, names in classes.items()
        for name in names
        for file, data in images[name].items()
    }


def mini_own_split(images: ByClass) -> Members:
    """Every class in train/ and in val/, the last image of each in val/."""
    members = {}
    for name, group in images.items():
        for i, (file, data) in enumerate(group.items()):
            members[f"{'val' if i == len(group) - 1 else 'train'}/{name}/{file}"] = data
    return members


def mini_pickles(classes: Classes, images: ByClass, protocol: int = 4) -> Members:
    members = {}
    for split, names in classes.items():
        arrays: list[npt.NDArray[Any]] = []
        indices: dict[str, list[int]] = {}
        for name in names:
            start = len(arrays)
            arrays += [np.asarray(Image.open(io.BytesIO(data))) for data in images[name].values()]
            indices[name] = list(range(start, len(arrays)))
        content = {"image_data": np.stack(arrays), "class_dict": indices}
        members[f"mini-imagenet-cache-{split}.pkl"] = pickle.dumps(content, protocol)
    return members


def celeba_attributes(count: int) -> npt.NDArray[np.int64]:
    """Attributes (count, 40) in {0, 1}."""
    return np.random.default_rng(1).integers(0, 2, (count, 40))


def celeba_partition(count: int) -> list[str]:
    """The first half is train, the next quarter val, the rest test."""
    return ["0" if i < count / 2 else "1" if i < 3 * count / 4 else "2" for i in range(count)]


def celeba_images(
    count: int, size: tuple[int, int] = (178, 218), folder: str = "img_align_celeba"
) -> Members:
    return {f"{folder}/{i + 1:06d}.jpg": flat_jpeg(7 * i % 256, size) for i in range(count)}


def celeba_lists(count: int, announced: int | None = None) -> Members:
    values = celeba_attributes(count)
    lines = [str(announced or count), " ".join(ATTRIBUTE_NAMES) + " "]
    for i, row in enumerate(values):
        lines.append(f"{i + 1:06d}.jpg " + " ".join(f"{2 * v - 1:2d}" for v in row))
    partition = [f"{i + 1:06d}.jpg {part}" for i, part in enumerate(celeba_partition(count))]
    return {
        "list_attr_celeba.txt": ("\r\n".join(lines) + "\r\n").encode(),
        "list_eval_partition.txt": ("\n".join(partition) + "\n").encode(),
    }


def celeba_csv_lists(count: int) -> Members:
    values = celeba_attributes(count)
    lines = [",".join(["image_id", *ATTRIBUTE_NAMES])]
    for i, row in enumerate(values):
        lines.append(",".join([f"{i + 1:06d}.jpg", *(str(2 * v - 1) for v in row)]))
    partition = [f"{i + 1:06d}.jpg,{part}" for i, part in enumerate(celeba_partition(count))]
    return {
        "list_attr_celeba.csv": "\n".join(lines).encode(),
        "list_eval_partition.csv": "\n".join(["image_id,partition", *partition]).encode(),
    }
