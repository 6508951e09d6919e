import pytest

from cactus.data.files.registry import load_registry
from cactus.data.files.tree import RawTree
from cactus.errors import DataError
from tests.unit.data.rawfiles import SETTINGS, write_files, write_tar, write_zip

ENTRY = load_registry()["miniimagenet"]


def tree(root, **changes):
    return RawTree(root, ENTRY, SETTINGS.model_copy(update=changes))


def test_loose_files_come_first_and_all_is_sorted(tmp_path):
    write_files(tmp_path, {"b/2": b"", "a/1": b""})
    write_zip(tmp_path / "z.zip", {"in/2": b"", "in/1": b"", "__MACOSX/in/1": b"", "in/._1": b""})
    write_tar(tmp_path / "k/t.tar.gz", {"./x": b""})
    with tree(tmp_path) as raw:
        paths = [entry.path for entry in raw.entries]
    assert paths == ["a/1", "b/2", "k/t.tar.gz/x", "z.zip/in/1", "z.zip/in/2"]


def test_folder_that_does_not_exist(tmp_path):
    with tree(tmp_path / "nothing") as raw:
        assert raw.entries == []


def test_images_from_all_sources(tmp_path):
    write_files(tmp_path, {"a.png": b"a"})
    write_zip(tmp_path / "z.zip", {"b.png": b"b", "unused.png": b"u"})
    with tree(tmp_path) as raw:
        wanted = [entry for entry in raw.entries if "unused" not in entry.path]
        read = {entry.path: content for entry, content in raw.read_images(wanted)}
        records = [record.file for record in raw.ledger.records()]
    assert read == {"a.png": b"a", "z.zip/b.png": b"b"}
    assert records == ["./", "z.zip"]


def test_large_image_files_are_refused(tmp_path):
    write_zip(tmp_path / "z.zip", {"b.png": bytes(2000)})
    with tree(tmp_path, max_image_mib=1 / 1024) as raw:
        ((_, error),) = raw.read_images(raw.entries)
    assert isinstance(error, DataError)
    assert "larger" in error.what


def test_web_page_among_the_lists(tmp_path):
    write_files(tmp_path, {"lists/train.csv": b"<HTML><head>"})
    with pytest.raises(DataError, match="web page") as caught:
        tree(tmp_path)
    assert caught.value.where.endswith("lists/train.csv")
