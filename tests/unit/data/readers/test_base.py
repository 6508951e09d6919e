import pytest

from cactus.data.files.registry import load_registry
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.readers.base import lay_out
from cactus.errors import DataError
from tests.unit.data.rawfiles import SETTINGS, write_files


@pytest.fixture
def entries(tmp_path):
    write_files(tmp_path, {f"{i}.png": b"" for i in range(5)})
    with RawTree(tmp_path, load_registry()["omniglot"], SETTINGS) as tree:
        yield tree.entries


def _name(label: str, entry: RawEntry) -> str:
    return f"{label}/{entry.name}"


def test_rows_are_laid_class_by_class(entries):
    layout = lay_out("omniglot", {"val": {"b": entries[:2], "a": entries[2:]}}, 2, _name)["val"]
    assert layout.classes == ["a", "b"]
    assert layout.labels.tolist() == [0, 0, 0, 1, 1]
    assert layout.entries == [*entries[2:], *entries[:2]]
    assert layout.names == ["a/2.png", "a/3.png", "a/4.png", "b/0.png", "b/1.png"]


def test_images_of_equal_names_have_their_paths(entries):
    layout = lay_out("omniglot", {"val": {"a": entries}}, 2, lambda _label, _entry: "same")["val"]
    assert layout.names == [entry.path for entry in entries]


def test_smallest_class_is_named(entries):
    images = {"train": {"a": entries[:3], "b": entries[3:]}}
    with pytest.raises(DataError, match="too few images") as caught:
        lay_out("omniglot", images, 3, _name)
    assert caught.value.where == "train split, class b"
    assert "data.omniglot.min_images_per_class" in caught.value.fix


@pytest.mark.parametrize("by_class", [{}, {"a": []}])
def test_empty_split(by_class):
    with pytest.raises(DataError):
        lay_out("omniglot", {"test": by_class}, 1, _name)
