"""Pickles of miniImageNet in the names and forms of the kits that distribute it."""

import gzip
import pickle

import pytest

from cactus.data.arrays import load_sources
from cactus.errors import DataError
from tests.unit.data.rawfiles import write_files, write_zip
from tests.unit.data.readers.miniimagenet.kits import (
    CLASSES,
    GIDARIS,
    ORIGINAL,
    READ,
    cache,
    check_content,
    labeled,
    run,
    write,
)


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
    assert any("2 other pickles were not used" in note for note in load_sources(out).notes)


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
