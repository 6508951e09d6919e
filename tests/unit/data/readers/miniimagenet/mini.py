"""Small copies of miniImageNet in each form, and what reading them has to give."""

from pathlib import Path

import numpy as np
import pytest

from cactus.config.sections.data.section import DataSettings
from cactus.data.arrays import load_images, load_labels, load_manifest
from cactus.data.prepare import check_raw, prepare
from cactus.errors import DataError
from cactus.splits import SPLITS
from tests.unit.data.rawfiles import (
    SETTINGS,
    ByClass,
    Members,
    mini_classes,
    mini_csv,
    mini_flat,
    mini_images,
    mini_own_split,
    mini_pickles,
    mini_split_folders,
    write_files,
)

CLASSES = mini_classes()
IMAGES = mini_images(CLASSES)


def run(tmp_path: Path, settings: DataSettings = SETTINGS) -> Path:
    check_raw("miniimagenet", settings, tmp_path / "raw")
    prepare("miniimagenet", settings, tmp_path / "raw", tmp_path / "out", synthetic=False)
    return tmp_path / "out"


def check_content(out: Path, images: ByClass = IMAGES) -> None:
    """Every image's gray level must be that of its place: sorted classes, sorted names."""
    level = {}
    for wnid, group in images.items():
        level[wnid] = [(list(images).index(wnid) * 4 + i + 1) * 5 for i in range(len(group))]
    manifest = load_manifest(out)
    for split in SPLITS:
        names = CLASSES[split]
        assert manifest.splits[split].classes == sorted(names)
        array = load_images(out, split)
        assert array.shape == (4 * len(names), 84, 84, 3)
        np.testing.assert_array_equal(load_labels(out, split), np.repeat(np.arange(len(names)), 4))
        expected = [value for name in sorted(names) for value in level[name]]
        np.testing.assert_array_equal(
            array,
            np.broadcast_to(np.array(expected, dtype=np.uint8)[:, None, None, None], array.shape),
        )


FORMS = {
    "flat images with csv": mini_flat(CLASSES, IMAGES),
    "split folders": mini_split_folders(CLASSES, IMAGES),
    "own train and val of each class": mini_own_split(IMAGES),
    "own split with csv": mini_own_split(IMAGES) | mini_csv(CLASSES, IMAGES),
    "folders by wnid": {
        f"images/{name}/{file}": data
        for name, group in IMAGES.items()
        for file, data in group.items()
    },
    "pickles": mini_pickles(CLASSES, IMAGES),
}


def fails(
    tmp_path: Path, members: Members, message: str, settings: DataSettings = SETTINGS
) -> DataError:
    write_files(tmp_path / "raw/miniimagenet", members)
    with pytest.raises(DataError, match=message) as caught:
        run(tmp_path, settings)
    assert not (tmp_path / "out/manifest.json").exists()
    return caught.value
