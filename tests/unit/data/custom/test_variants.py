"""Variants of Omniglot: published and other splits of its drawings, and turned classes."""

import csv
import hashlib
import os
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cactus.config.load import load_config, parse_config
from cactus.config.sections.data.custom import PUBLISHED
from cactus.config.sections.data.section import DataSettings
from cactus.config.split_sizes import split_sizes
from cactus.data.arrays import Manifest, load_images, load_labels, load_manifest, load_sources
from cactus.data.names import load_names
from cactus.data.prepare import check_raw, prepare
from cactus.errors import ConfigError, DataError
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.staleness.open_run import open_planner
from cactus.splits import SPLITS, Split
from cactus.stages.base import Job
from cactus.stages.prepare_data import STAGE as PREPARE_DATA
from tests.unit.data.custom.drawing import settings, write_folders
from tests.unit.data.rawfiles import omniglot_members, write_files, write_zip

LIST = Path("config/splits/omniglot_vinyals.csv")
SHARES = {"split": {"shares": [0.5, 0.25, 0.25]}}
PUBLISHED_SPLIT = {"split": {"published": "vinyals"}}


def variant(**own: object) -> DataSettings:
    keys = {"variant_of": "omniglot", "image_size": 28, "channels": 1, **SHARES, **own}
    return settings("turned", **keys).model_copy(update={"download": False})


def prepared(tmp_path: Path, chosen: DataSettings, raw: Path | None = None) -> Manifest:
    raw = raw or tmp_path / "raw"
    check_raw("turned", chosen, raw)
    prepare("turned", chosen, raw, tmp_path / "out", synthetic=False)
    return load_manifest(tmp_path / "out")


def listed() -> dict[str, str]:
    lines = [line for line in LIST.read_text().splitlines() if not line.startswith("#")]
    return {row["class"]: row["split"] for row in csv.DictReader(lines)}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    for part, members in omniglot_members().items():
        write_zip(tmp_path / f"raw/omniglot/{part}.zip", members)
    return tmp_path / "raw"


def test_the_published_list_has_as_many_characters_as_its_papers_say():
    assert len(listed()) == 1623
    assert Counter(listed().values()) == PUBLISHED["vinyals"]
    of_test = {name.split("/")[0] for name, split in listed().items() if split == "test"}
    # Of the validation and test alphabets, those in the lists of Snell et al.
    assert {"Gurmukhi", "Tengwar", "Manipuri"} <= of_test


@pytest.mark.usefixtures("raw")
def test_drawings_are_those_of_omniglot_in_another_split(tmp_path):
    manifest = prepared(tmp_path, variant())
    assert [len(manifest.splits[split].classes) for split in SPLITS] == [4, 2, 2]
    assert [record.file for record in load_sources(tmp_path / "out").raw] == [
        "images_background.zip", "images_evaluation.zip",
    ]  # fmt: skip
    plain = DataSettings.model_validate(
        {"download": False, "omniglot": {"train_characters": 4, "val_characters": 2,
                                         "min_images_per_class": 3}}
    )  # fmt: skip
    prepare("omniglot", plain, tmp_path / "raw", tmp_path / "plain", synthetic=False)
    assert by_name(tmp_path / "out") == by_name(tmp_path / "plain")


def by_name(folder: Path) -> dict[str, bytes]:
    found = {}
    for split in SPLITS:
        images = load_images(folder, split)
        names = load_names(folder, split, len(images))
        found |= {name: image.tobytes() for name, image in zip(names, images, strict=True)}
    return found


@pytest.mark.usefixtures("raw")
def test_turned_copies_are_classes_of_the_same_split(tmp_path):
    plain = prepared(tmp_path, variant()).splits
    before = {split: np.array(load_images(tmp_path / "out", split)) for split in SPLITS}
    manifest = prepared(tmp_path, variant(rotations=True))
    assert (
        "each class is 4: its images turned by 0, 90, 180, 270 degrees"
        in load_sources(tmp_path / "out").notes
    )
    turned = manifest.splits
    for split in SPLITS:
        assert turned[split].classes == [
            f"{name}/rot{angle:03}" for name in plain[split].classes for angle in (0, 90, 180, 270)
        ]
        images, labels = load_images(tmp_path / "out", split), load_labels(tmp_path / "out", split)
        names = load_names(tmp_path / "out", split, len(images))
        assert np.bincount(labels).tolist() == [3] * len(turned[split].classes)
        for place, (image, label, name) in enumerate(zip(images, labels, names, strict=True)):
            character, turn = divmod(int(label), 4)
            original = before[split][3 * character + place % 3]
            assert np.array_equal(image, np.rot90(original, turn))
            assert name.startswith(f"{plain[split].classes[character]}/")
            assert name.endswith(f"/rot{90 * turn:03}")


def test_classes_of_ones_own_can_be_turned_too(tmp_path):
    write_folders(tmp_path / "raw/turned")
    manifest = prepared(tmp_path, settings("turned", rotations=True, **SHARES))
    assert [len(manifest.splits[split].classes) for split in SPLITS] == [16, 8, 8]
    images = load_images(tmp_path / "out", "train")
    assert np.array_equal(np.rot90(images[0]), images[6])


def test_the_published_list_splits_all_characters(tmp_path):
    drawing = next(iter(omniglot_members()["images_background"].values()))
    for part in ("images_background", "images_evaluation"):
        names = sorted(listed())[part == "images_evaluation" :: 2]
        members = {f"{part}/{name}/{n:04}.png": drawing for name in names for n in range(2)}
        write_files(tmp_path / "raw/omniglot", members)
    manifest = prepared(tmp_path, variant(**PUBLISHED_SPLIT))
    for split in SPLITS:
        expected = sorted(name for name, of in listed().items() if of == split)
        assert manifest.splits[split].classes == expected


@pytest.mark.usefixtures("raw")
def test_characters_that_the_raw_files_lack_are_named(tmp_path):
    with pytest.raises(DataError, match="A class that a split lists has no image"):
        prepared(tmp_path, variant(**PUBLISHED_SPLIT))
    (tmp_path / "raw/omniglot/images_background.zip").unlink()
    with pytest.raises(DataError, match="Raw files of Omniglot are missing"):
        prepared(tmp_path, variant())


def test_the_study_has_four_classes_for_each_listed_character():
    config = load_config([Path("config/omniglot-vinyals.yaml")])
    sizes = split_sizes(config, "omniglot_vinyals")
    assert [sizes[split].classes for split in SPLITS] == [4112, 688, 1692]
    wildcards = PREPARE_DATA.parse("omniglot_vinyals")
    assert PREPARE_DATA.modules(config, wildcards) == ("cactus.data.custom.omniglot",)
    assert [str(one) for one in PREPARE_DATA.data_files(config, wildcards)] == [
        "config/datasets.yaml: omniglot", "config/splits/omniglot_vinyals.csv",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("own", "key"),
    [
        ({"split": None}, "split"),
        ({"split": {"file": "a.csv"}}, "split"),
        ({"table": "a.csv"}, "table"),
        ({"module": "a.py"}, "module"),
        ({"variant_of": None, **PUBLISHED_SPLIT}, "split.published"),
        ({"split": {"published": "vinyals", "seed": 1, "shares": [0.5, 0.25, 0.25]}}, "split"),
        ({"variant_of": "mnist"}, "variant_of"),
    ],
)
def test_keys_that_do_not_fit_a_variant_are_named(own, key):
    entry = {"variant_of": "omniglot", "image_size": 28, "channels": 1, **SHARES, **own}
    with pytest.raises(ConfigError) as error:
        parse_config({"data": {"custom": {"turned": entry}}})
    assert error.value.where.endswith(f"data.custom.turned.{key}")


@pytest.mark.real_data
@pytest.mark.skipif("CACTUS_RAW_DATA" not in os.environ, reason="no CACTUS_RAW_DATA")
def test_the_real_drawings_have_the_published_split(tmp_path):
    raw = Path(os.environ["CACTUS_RAW_DATA"])
    if not (raw / "omniglot").is_dir():
        pytest.skip("no omniglot below CACTUS_RAW_DATA")
    chosen = variant(rotations=True, min_images_per_class=20, **PUBLISHED_SPLIT)
    manifest = prepared(tmp_path, chosen, raw)
    counts: dict[Split, int] = {"train": 4112, "val": 688, "test": 1692}
    for split, classes in counts.items():
        assert len(manifest.splits[split].classes) == classes
        assert load_images(tmp_path / "out", split).shape == (20 * classes, 28, 28, 1)
        assert (np.bincount(load_labels(tmp_path / "out", split)) == 20).all()
    images = load_images(tmp_path / "out", "test")
    # White ink on black; each block of 20 drawings is followed by its copies, turned.
    assert 10 < images.mean() < 40
    assert np.array_equal(np.rot90(images[:20], axes=(1, 2)), images[20:40])


def test_a_changed_raw_file_of_the_data_set_that_it_varies_is_seen(tmp_path):
    config = load_config([Path("config/omniglot-vinyals.yaml")])
    planner = open_planner(config, tmp_path / "results/v", cache=HashCache(None), base=tmp_path)
    job = Job("prepare_data", "omniglot_vinyals")
    record: Any = SimpleNamespace(job=job, plan=SimpleNamespace(raw={"images_background.zip": "0"}))
    write_files(tmp_path / "data/omniglot", {"images_background.zip": b"a", "other.zip": b"b"})
    expected = {"images_background.zip": hashlib.sha256(b"a").hexdigest()}
    assert planner.raw_hashes(record) == expected
