import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cactus.data.files.checksums import Ledger, file_digests, matches
from cactus.data.files.registry import DatasetEntry, OfficialFile
from cactus.errors import DataError

OFFICIAL = b"official content"


def entry(published=True):
    return DatasetEntry(
        title="Things",
        folders=["things"],
        page="https://example.org",
        license="MIT",
        manual="a file",
        checksum_published=published,
        files=[OfficialFile(name="a.zip", md5=hashlib.md5(OFFICIAL).hexdigest())],
    )


def status(root, name, content, published=True, official_only=False):
    (root / name).write_bytes(content)
    ledger = Ledger(root, entry(published), official_only)
    ledger.record(root / name)
    (record,) = ledger.records()
    assert record.file == name
    assert record.sha256 == hashlib.sha256(content).hexdigest()
    return record.official


@given(content=st.binary())
def test_digests(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "digests"
    path.write_bytes(content)
    assert file_digests(path) == (
        hashlib.md5(content).hexdigest(),
        hashlib.sha256(content).hexdigest(),
    )


def test_sha256_counts_before_md5():
    file = OfficialFile(name="a", md5="0" * 32, sha256="1" * 64)
    assert matches(file, "2" * 32, "1" * 64)
    assert not matches(file, "0" * 32, "2" * 64)


@pytest.mark.parametrize(
    ("name", "content", "published", "expected"),
    [
        ("a.zip", OFFICIAL, True, True),
        ("renamed.zip", OFFICIAL, True, True),
        ("a.zip", b"rebuilt", True, False),
        ("a_rebuilt.zip", b"rebuilt", True, False),
        ("a.zip", b"rebuilt", False, False),
        ("other.zip", b"rebuilt", False, None),
    ],
)
def test_status(tmp_path, name, content, published, expected):
    assert status(tmp_path, name, content, published) is expected


def test_official_only(tmp_path):
    assert status(tmp_path, "a.zip", OFFICIAL, official_only=True) is True
    assert status(tmp_path, "b.zip", b"x", published=False, official_only=True) is None
    with pytest.raises(DataError, match="not the official one") as caught:
        status(tmp_path, "a.zip", b"rebuilt", official_only=True)
    assert "data.official_only" in caught.value.fix
    ledger = Ledger(tmp_path, entry(), official_only=True)
    with pytest.raises(DataError, match="not the official one"):
        ledger.record_image("folder/image.png", b"x")


def test_loose_images_share_a_record(tmp_path):
    def digest(images):
        ledger = Ledger(tmp_path, entry(published=False), official_only=False)
        for name, content in images:
            ledger.record_image(name, content)
        (record,) = ledger.records()
        return record

    images = [("f/a/1.png", b"1"), ("f/b/2.png", b"2")]
    record = digest(images)
    assert record.file == "f/"
    assert record.official is None
    assert digest(images[::-1]) == record
    assert digest([("f/a/1.png", b"1"), ("f/b/2.png", b"3")]).sha256 != record.sha256
    assert digest([("f/a/1.png", b"1"), ("f/b/3.png", b"2")]).sha256 != record.sha256
