import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cactus.data.array_files import write_array
from cactus.errors import DataError
from cactus.evaluate.embeddings import load_embeddings
from cactus.files import write_json


def store(folder: Path, array: np.ndarray, **record: Any) -> None:
    write_array(folder / "test.npy", array)
    entry = {"file": "test.npy", "shape": list(array.shape), **record}
    write_json(folder / "manifest.json", {"arrays": {"test": entry}})


def test_embeddings_are_read(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(3, 2)
    store(tmp_path, array)
    np.testing.assert_array_equal(load_embeddings(tmp_path, "test"), array)


@pytest.mark.parametrize(
    ("array", "record"),
    [
        (np.zeros((3, 2), np.float32), {"shape": [4, 2]}),
        (np.zeros(3, np.float32), {}),
        (np.zeros((3, 2)), {}),
        (np.full((3, 2), np.nan, np.float32), {}),
    ],
    ids=["shape", "dimensions", "dtype", "nan"],
)
def test_wrong_arrays_are_refused(
    tmp_path: Path, array: np.ndarray, record: dict[str, Any]
) -> None:
    store(tmp_path, array, **record)
    with pytest.raises(DataError, match="embeddings"):
        load_embeddings(tmp_path, "test")


def test_missing_split_and_folder_are_refused(tmp_path: Path) -> None:
    store(tmp_path, np.zeros((3, 2), np.float32))
    for folder, split in ((tmp_path, "val"), (tmp_path / "none", "test")):
        with pytest.raises(DataError):
            load_embeddings(folder, split)


def test_the_embeddings_of_another_method_are_refused(tmp_path: Path) -> None:
    store(tmp_path, np.zeros((3, 2), np.float32))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    write_json(tmp_path / "manifest.json", {**manifest, "embedding": "acai"})
    load_embeddings(tmp_path, "test", embedding="acai")
    with pytest.raises(DataError) as caught:
        load_embeddings(tmp_path, "test", embedding="bigan")
    assert caught.value.got == "acai, expected bigan"
