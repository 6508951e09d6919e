import csv

import pytest
import yaml

from cactus.data.files.registry import REGISTRY, OfficialFile, load_registry, raw_folders
from cactus.data.readers.miniimagenet_lists import RAVI_LISTS
from cactus.errors import ConfigError


def test_registry_holds_the_four_data_sets():
    registry = load_registry()
    assert set(registry) == {"mnist", "omniglot", "miniimagenet", "celeba"}
    for name, entry in registry.items():
        assert entry.folders[0] == name
        assert entry.license
        assert "http" in entry.page
    with_address = {file.name for entry in registry.values() for file in entry.files if file.urls}
    assert "img_align_celeba.zip" not in with_address
    assert {"images_background.zip", "train-images-idx3-ubyte.gz", "train.csv"} <= with_address
    # 162,770 + 19,867 + 19,962 = 202,599 and 100 classes of 600.
    assert sum(registry["celeba"].images.values()) == 202_599
    assert sum(registry["miniimagenet"].images.values()) == 60_000


def test_published_split_has_100_distinct_classes():
    with RAVI_LISTS.open() as file:
        rows = list(csv.DictReader(file))
    sizes = {split: [r["split"] for r in rows].count(split) for split in ("train", "val", "test")}
    assert sizes == {"train": 64, "val": 16, "test": 20}
    assert len({row["wnid"] for row in rows}) == 100
    assert all(len(row["wnid"]) == 9 and row["wnid"][1:].isdecimal() for row in rows)


@pytest.mark.parametrize("content", ["", "[]", "mnist: {}", "a: b: c", "mnist: 3"])
def test_damaged_registry(tmp_path, content):
    path = tmp_path / "datasets.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match="registry"):
        load_registry(path)


def test_missing_registry(tmp_path):
    with pytest.raises(ConfigError, match="registry"):
        load_registry(tmp_path / "datasets.yaml")


@pytest.mark.parametrize(
    "fields", [{}, {"md5": "12"}, {"md5": "0" * 32, "urls": ["ftp://example.org/a"]}]
)
def test_files_need_a_checksum_and_http(fields):
    with pytest.raises(ValueError, match=r"md5|address"):
        OfficialFile(name="a", **fields)


def test_unknown_keys_are_refused(tmp_path):
    content = yaml.safe_load(REGISTRY.read_text())
    content["mnist"]["color"] = "gray"
    path = tmp_path / "datasets.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match="registry") as caught:
        load_registry(path)
    assert "color" in caught.value.got


def test_filled_folders_are_found_in_order_and_in_any_case(tmp_path):
    names = load_registry()["mnist"].folders
    assert raw_folders(tmp_path / "nothing", names) == []
    for name in ("mnist/.DS_Store", "MNIST/raw/file", "Mnist/file", "mnist/x.part"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = [tmp_path / name for name in ("MNIST/raw", "MNIST", "Mnist")]
    assert raw_folders(tmp_path, names) == expected
    (tmp_path / "mnist/file").touch()
    assert raw_folders(tmp_path, names) == [tmp_path / "mnist", *expected]
