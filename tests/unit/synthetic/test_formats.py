"""The synthetic data follow the official raw formats, byte by byte, without our own readers."""

import csv
import gzip
import hashlib
import io
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cactus.config.synthetic import SyntheticSettings
from cactus.errors import DataError
from cactus.synthetic.write import write_synthetic

DATASETS = ("mnist", "omniglot", "miniimagenet", "celeba")
SMALL = SyntheticSettings.model_validate(
    {
        "mnist": {"train_images": 40, "test_images": 20},
        "omniglot": {
            "background_alphabets": 2, "evaluation_alphabets": 1, "characters": 3, "drawers": 4,
        },
        "miniimagenet": {
            "train_classes": 2, "val_classes": 1, "test_classes": 1, "images_per_class": 3,
        },
        "celeba": {"train_images": 6, "val_images": 4, "test_images": 5},
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    for dataset in DATASETS:
        write_synthetic(dataset, SMALL, folder)
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_mnist_files_have_the_idx_headers(raw):
    for name, count in (("train", 40), ("t10k", 20)):
        images = gzip.decompress((raw / f"mnist/{name}-images-idx3-ubyte.gz").read_bytes())
        labels = gzip.decompress((raw / f"mnist/{name}-labels-idx1-ubyte.gz").read_bytes())
        assert struct.unpack(">4i", images[:16]) == (2051, count, 28, 28)
        assert struct.unpack(">2i", labels[:8]) == (2049, count)
        assert len(images) == 16 + count * 784
        assert set(labels[8:]) <= set(range(10))


def test_omniglot_archives_have_alphabets_characters_and_drawers(raw):
    drawings = []
    for name, alphabets in (("images_background", 2), ("images_evaluation", 1)):
        with zipfile.ZipFile(raw / f"omniglot/{name}.zip") as archive:
            members = [member for member in archive.namelist() if member.endswith(".png")]
            drawings += [(member, archive.read(member)) for member in members]
        parts = [Path(member).parts for member in members]
        assert {part[0] for part in parts} == {name}
        assert len({part[1] for part in parts}) == alphabets
        assert len({part[1:3] for part in parts}) == alphabets * 3
        assert len(parts) == alphabets * 3 * 4
    for member, content in drawings:
        with Image.open(io.BytesIO(content)) as image:
            assert (image.mode, image.size) == ("1", (105, 105)), member
            ink = 1 - np.asarray(image).mean()
            assert 0.005 < ink < 0.5, member


def test_miniimagenet_lists_name_images_of_real_classes(raw):
    root = Path(__file__).parents[3]
    with (root / "config/splits/miniimagenet.csv").open(newline="") as file:
        splits = {row["wnid"]: row["split"] for row in csv.DictReader(file)}
    seen = set()
    for split, classes in (("train", 2), ("val", 1), ("test", 1)):
        with (raw / f"miniimagenet/{split}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == classes * 3
        assert {splits[row["label"]] for row in rows} == {split}
        for row in rows:
            with Image.open(raw / "miniimagenet/images" / row["filename"]) as image:
                assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (84, 84))
        seen |= {row["filename"] for row in rows}
    assert len(seen) == 12


def test_celeba_lists_agree_with_the_archive(raw):
    lines = (raw / "celeba/list_attr_celeba.txt").read_text().splitlines()
    assert int(lines[0]) == len(lines) - 2 == 15
    names = lines[1].split()
    assert (len(names), names[0], names[20], names[39]) == (40, "5_o_Clock_Shadow", "Male", "Young")
    assert all(set(line.split()[1:]) <= {"-1", "1"} for line in lines[2:])
    partitions = [
        line.split() for line in (raw / "celeba/list_eval_partition.txt").read_text().splitlines()
    ]
    assert [number for _, number in partitions] == ["0"] * 6 + ["1"] * 4 + ["2"] * 5
    with zipfile.ZipFile(raw / "celeba/img_align_celeba.zip") as archive:
        faces = sorted(member for member in archive.namelist() if member.endswith(".jpg"))
        assert faces == [f"img_align_celeba/{index:06d}.jpg" for index in range(1, 16)]
        with Image.open(io.BytesIO(archive.read(faces[0]))) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (178, 218))


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(raw, tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from cactus.config.synthetic import SyntheticSettings\n"
        "from cactus.synthetic.write import write_synthetic\n"
        "settings = SyntheticSettings.model_validate_json(sys.argv[1])\n"
        f"for dataset in {DATASETS}: write_synthetic(dataset, settings, Path(sys.argv[2]))\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, SMALL.model_dump_json(), str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        check=True,
    )
    assert digests(tmp_path) == digests(raw)


@pytest.mark.parametrize("dataset", DATASETS)
def test_another_seed_writes_other_images(raw, tmp_path, dataset):
    write_synthetic(dataset, SMALL.model_copy(update={"seed": 1}), tmp_path)
    same = digests(tmp_path / dataset).items() & digests(raw / dataset).items()
    assert not [name for name, _ in same if name.endswith((".zip", ".jpg", "images-idx3-ubyte.gz"))]


def test_real_data_are_never_overwritten(tmp_path):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist/train-images-idx3-ubyte.gz").write_bytes(b"real")
    with pytest.raises(DataError, match="not synthetic data"):
        write_synthetic("mnist", SMALL, tmp_path)
    assert (tmp_path / "mnist/train-images-idx3-ubyte.gz").read_bytes() == b"real"
