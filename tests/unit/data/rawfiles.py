"""Tiny raw files of the four data sets, in the forms that circulate."""

import gzip
import io
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from cactus.config.data import (
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
ATTRIBUTE_NAMES = [f"Attribute_{i}" for i in range(40)]


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(image, quality=95):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def flat_jpeg(color, size=(84, 84)):
    """A jpeg of one gray level, which every decoder returns exactly."""
    return jpeg(np.full((size[1], size[0], 3), color, dtype=np.uint8))


def write_files(folder, members):
    for name, content in members.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write_zip(path, members):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def write_tar(path, members, mode="w:gz"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def write_any(root, name, members, packing):
    """Lay members into a raw folder: unpacked, zipped or in a tar archive."""
    if packing == "folder":
        write_files(root, members)
    elif packing == "zip":
        write_zip(root / f"{name}.zip", members)
    else:
        modes = {"tar": "w", "tar.gz": "w:gz", "tgz": "w:gz", "tar.xz": "w:xz", "tar.bz2": "w:bz2"}
        write_tar(root / f"{name}.{packing}", members, modes[packing])


def idx(array):
    header = struct.pack(f">I{array.ndim}I", 0x0800 | array.ndim, *array.shape)
    return header + array.tobytes()


def mnist_arrays(train=60, test=40, side=28):
    generator = np.random.default_rng(0)
    arrays = {}
    for name, count in (("train", train), ("t10k", test)):
        arrays[f"{name}-images"] = generator.integers(0, 256, (count, side, side), dtype=np.uint8)
        arrays[f"{name}-labels"] = (np.arange(count) % 10).astype(np.uint8)
    return arrays


def mnist_members(arrays, *, compressed=True, dot=False):
    members = {}
    for name, array in arrays.items():
        file = f"{name}{'.' if dot else '-'}idx{array.ndim}-ubyte"
        content = idx(array)
        members[f"{file}.gz" if compressed else file] = (
            gzip.compress(content) if compressed else content
        )
    return members


def omniglot_members(drawers=3, characters=2):
    """Two alphabets in each part; each drawing has one black pixel row of its own."""
    parts = {"images_background": {}, "images_evaluation": {}}
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


def mini_classes(train=3, val=2, test=2):
    """Some classes of each split of the published lists."""
    lists = ravi_classes().split_of
    counts = {"train": train, "val": val, "test": test}
    return {
        split: sorted(name for name, of in lists.items() if of == split)[:count]
        for split, count in counts.items()
    }


def mini_images(classes, per_class=4, size=(84, 84)):
    """Images by class: name -> jpeg of one gray level that no other image has."""
    images, level = {}, 0
    for names in classes.values():
        for wnid in names:
            images[wnid] = {}
            for i in range(1, per_class + 1):
                level += 5
                images[wnid][f"{wnid}{i:08d}.jpg"] = flat_jpeg(level, size)
    return images


def mini_csv(classes, images):
    return {
        f"{split}.csv": "".join(
            ["filename,label\n", *(f"{file},{name}\n" for name in names for file in images[name])]
        ).encode()
        for split, names in classes.items()
    }


def mini_flat(classes, images):
    members = {f"images/{file}": data for group in images.values() for file, data in group.items()}
    return members | mini_csv(classes, images)


def mini_split_folders(classes, images):
    return {
        f"{split}/{name}/{file}": data
        for split, names in classes.items()
        for name in names
        for file, data in images[name].items()
    }


def mini_own_split(images):
    """Every class in train/ and in val/, the last image of each in val/."""
    members = {}
    for name, group in images.items():
        for i, (file, data) in enumerate(group.items()):
            members[f"{'val' if i == len(group) - 1 else 'train'}/{name}/{file}"] = data
    return members


def mini_pickles(classes, images, protocol=4):
    members = {}
    for split, names in classes.items():
        arrays, indices = [], {}
        for name in names:
            start = len(arrays)
            arrays += [np.asarray(Image.open(io.BytesIO(data))) for data in images[name].values()]
            indices[name] = list(range(start, len(arrays)))
        content = {"image_data": np.stack(arrays), "class_dict": indices}
        members[f"mini-imagenet-cache-{split}.pkl"] = pickle.dumps(content, protocol)
    return members


def celeba_attributes(count):
    """Attributes (count, 40) in {0, 1}."""
    return np.random.default_rng(1).integers(0, 2, (count, 40))


def celeba_partition(count):
    """The first half is train, the next quarter val, the rest test."""
    return ["0" if i < count / 2 else "1" if i < 3 * count / 4 else "2" for i in range(count)]


def celeba_images(count, size=(178, 218), folder="img_align_celeba"):
    return {f"{folder}/{i + 1:06d}.jpg": flat_jpeg(7 * i % 256, size) for i in range(count)}


def celeba_lists(count, announced=None):
    values = celeba_attributes(count)
    lines = [str(announced or count), " ".join(ATTRIBUTE_NAMES) + " "]
    for i, row in enumerate(values):
        lines.append(f"{i + 1:06d}.jpg " + " ".join(f"{2 * v - 1:2d}" for v in row))
    partition = [f"{i + 1:06d}.jpg {part}" for i, part in enumerate(celeba_partition(count))]
    return {
        "list_attr_celeba.txt": ("\r\n".join(lines) + "\r\n").encode(),
        "list_eval_partition.txt": ("\n".join(partition) + "\n").encode(),
    }


def celeba_csv_lists(count):
    values = celeba_attributes(count)
    lines = [",".join(["image_id", *ATTRIBUTE_NAMES])]
    for i, row in enumerate(values):
        lines.append(",".join([f"{i + 1:06d}.jpg", *(str(2 * v - 1) for v in row)]))
    partition = [f"{i + 1:06d}.jpg,{part}" for i, part in enumerate(celeba_partition(count))]
    return {
        "list_attr_celeba.csv": "\n".join(lines).encode(),
        "list_eval_partition.csv": "\n".join(["image_id,partition", *partition]).encode(),
    }
