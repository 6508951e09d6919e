"""Images of one's own in archives: as if they were unpacked, or refused by name."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from cactus.data.arrays import Manifest, load_manifest, load_sources
from cactus.data.prepare import check_raw, prepare
from cactus.errors import DataError
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.fingerprint.raw_files import custom_raw_hashes
from cactus.splits import SPLITS
from tests.unit.data.custom.drawing import KINDS, settings, shape
from tests.unit.data.rawfiles import write_any, write_files, write_zip

SHARES = {"split": {"shares": [0.5, 0.25, 0.25], "seed": 2}}
PACKINGS = ["zip", "tar", "tar.gz", "tgz", "tar.bz2"]


def image(kind: str, number: int) -> bytes:
    buffer = io.BytesIO()
    shape(kind, number).save(buffer, "PNG")
    return buffer.getvalue()


CLASSES = {f"{kind}/{number:03}.png": image(kind, number) for kind in KINDS for number in range(3)}
SPLIT_OF = {kind: SPLITS[min(place // 3, 2)] for place, kind in enumerate(KINDS)}
IN_SPLITS = {f"{SPLIT_OF[name.split('/')[0]]}/{name}": one for name, one in CLASSES.items()}
TABLE = "file,class,split\n" + "".join(
    f"{name},{name.split('/')[0]},{SPLIT_OF[name.split('/')[0]]}\n" for name in CLASSES
)


def below(folder: str, members: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": content for name, content in members.items()}


def prepared(tmp_path: Path, name: str = "raw", **own: object) -> Manifest:
    chosen = settings(**own)
    check_raw("shapes", chosen, tmp_path / name)
    prepare("shapes", chosen, tmp_path / name, tmp_path / f"{name}_out", synthetic=False)
    return load_manifest(tmp_path / f"{name}_out")


def refused(tmp_path: Path, **own: object) -> DataError:
    with pytest.raises(DataError) as error:
        prepared(tmp_path, **own)
    return error.value


def check_as_unpacked(tmp_path: Path, members: Mapping[str, bytes], **own: object) -> Manifest:
    """Check that the data in ``raw`` are the same as these members in a plain folder."""
    write_files(tmp_path / "plain/shapes", members)
    found, plain = prepared(tmp_path, **own), prepared(tmp_path, "plain", **own)
    assert found.splits == plain.splits
    for split in SPLITS:
        one, other = (tmp_path / f"{name}_out/{split}_names.txt" for name in ("raw", "plain"))
        assert one.read_text() == other.read_text()
    return found


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("top", ["", "shapes-1.0/", "a/b/"])
def test_an_archive_of_class_folders_is_read_as_if_unpacked(packing, top, tmp_path):
    members = {f"{top}{name}": content for name, content in CLASSES.items()}
    junk = {f"__MACOSX/{top}._x.png": b"junk", f"{top}.DS_Store": b"junk"}
    write_any(tmp_path / "raw/shapes", "shapes", members | junk, packing)
    check_as_unpacked(tmp_path, CLASSES, **SHARES)
    assert [record.file for record in load_sources(tmp_path / "raw_out").raw] == [
        f"shapes.{packing}"
    ]


@pytest.mark.parametrize("top", ["", "shapes/"])
def test_folders_of_splits_may_be_in_an_archive(top, tmp_path):
    members = {f"{top}{name}": content for name, content in IN_SPLITS.items()}
    write_zip(tmp_path / "raw/shapes/all.zip", members)
    check_as_unpacked(tmp_path, IN_SPLITS)


@pytest.mark.parametrize("per", ["class", "split"])
def test_there_may_be_an_archive_for_each_class_or_split(per, tmp_path):
    members = IN_SPLITS if per == "split" else CLASSES
    for top in {name.split("/")[0] for name in members}:
        of_top = {name: one for name, one in members.items() if name.startswith(f"{top}/")}
        write_zip(tmp_path / f"raw/shapes/{top}.zip", of_top)
    check_as_unpacked(tmp_path, members, **({} if per == "split" else SHARES))


def test_an_archive_is_unpacked_where_it_lies(tmp_path):
    for kind in KINDS:
        of_kind = {name.split("/")[1]: one for name, one in CLASSES.items() if kind in name}
        write_zip(tmp_path / f"raw/shapes/{kind}/images.zip", of_kind)
    check_as_unpacked(tmp_path, CLASSES, **SHARES)


@pytest.mark.parametrize("table", ["inside", "in the top folder", "beside"])
def test_a_table_may_be_in_the_archive_or_beside_it(table, tmp_path):
    members = dict(CLASSES)
    if table == "beside":
        write_files(tmp_path / "raw/shapes", {"list.csv": TABLE.encode()})
    else:
        members["list.csv"] = TABLE.encode()
    if table == "in the top folder":
        members = below("shapes", members)
    write_zip(tmp_path / "raw/shapes/all.zip", members)
    check_as_unpacked(tmp_path, {**CLASSES, "list.csv": TABLE.encode()}, table="list.csv")


def test_a_file_of_classes_may_be_in_the_archive(tmp_path):
    rows = "class,split\n" + "".join(f"{kind},{split}\n" for kind, split in SPLIT_OF.items())
    members = {**CLASSES, "classes.csv": rows.encode()}
    write_zip(tmp_path / "raw/shapes/all.zip", below("shapes", members))
    check_as_unpacked(tmp_path, members, split={"file": "classes.csv"})


def test_packed_and_unpacked_images_are_not_mixed(tmp_path):
    write_files(tmp_path / "raw/shapes", CLASSES)
    write_zip(tmp_path / "raw/shapes/more.zip", {"ring/900.png": image("ring", 900)})
    error = refused(tmp_path, **SHARES)
    assert error.where.endswith("more.zip")
    assert "unpack all" in error.fix


def test_an_archive_beside_what_was_unpacked_from_it_is_refused(tmp_path):
    write_files(tmp_path / "raw/shapes", CLASSES)
    write_zip(tmp_path / "raw/shapes/all.zip", CLASSES)
    error = refused(tmp_path, **SHARES)
    assert "all.zip" in error.where
    assert "the same file as bar/000.png" in error.got


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "ring/../../evil.png"])
@pytest.mark.parametrize("packing", ["zip", "tar.gz"])
def test_paths_that_leave_the_archive_are_refused(name, packing, tmp_path):
    members = {**CLASSES, name: image("ring", 9)}
    write_any(tmp_path / "raw/shapes", "all", members, packing)
    error = refused(tmp_path, **SHARES)
    assert "points outside the archive" in error.got
    assert not list(tmp_path.rglob("evil.png"))


def test_a_link_in_an_archive_is_refused(tmp_path):
    write_any(tmp_path / "raw/shapes", "all", CLASSES, "tar")
    with tarfile.open(tmp_path / "raw/shapes/all.tar", "a") as archive:
        link = tarfile.TarInfo("ring/900.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert "is a link" in refused(tmp_path, **SHARES).got


def test_damaged_images_in_an_archive_are_all_named(tmp_path):
    broken = {"bar/001.png": b"no image", "ring/002.png": CLASSES["ring/002.png"][:60]}
    write_zip(tmp_path / "raw/shapes/all.zip", below("top", {**CLASSES, **broken}))
    text = str(refused(tmp_path, **SHARES))
    assert "all.zip/top/bar/001.png" in text
    assert "all.zip/top/ring/002.png" in text


def test_a_member_whose_bytes_changed_is_named(tmp_path):
    path = tmp_path / "raw/shapes/all.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in CLASSES.items():
            archive.writestr(name, content)
    content = bytearray(path.read_bytes())
    content[content.index(CLASSES["cross/001.png"]) + 40] ^= 1
    path.write_bytes(content)
    error = refused(tmp_path, **SHARES)
    assert "all.zip" in str(error)
    assert "Bad CRC-32" in str(error)


@pytest.mark.parametrize("packing", ["zip", "tar.gz"])
def test_a_truncated_archive_is_refused(packing, tmp_path):
    write_any(tmp_path / "raw/shapes", "all", CLASSES, packing)
    path = tmp_path / f"raw/shapes/all.{packing}"
    path.write_bytes(path.read_bytes()[:-200])
    error = refused(tmp_path, **SHARES)
    assert error.where.endswith(f"all.{packing}")
    assert "damaged" in error.what


def test_other_data_in_an_archive_is_named(tmp_path):
    write_zip(tmp_path / "raw/shapes/all.zip", {**CLASSES, "features.npy": b"x"})
    assert "all.zip/features.npy" in refused(tmp_path, **SHARES).got
    write_zip(tmp_path / "raw/shapes/all.zip", {**CLASSES, "inner.zip": b"x"})
    assert "an archive inside an archive" in refused(tmp_path, **SHARES).got


def test_an_image_outside_a_class_folder_in_an_archive_is_named(tmp_path):
    write_zip(tmp_path / "raw/shapes/all.zip", {**CLASSES, "lost.png": image("ring", 9)})
    assert "all.zip/lost.png" in refused(tmp_path, **SHARES).where


def test_the_hash_of_an_archive_counts(tmp_path):
    write_zip(tmp_path / "raw/shapes/all.zip", CLASSES)
    write_files(tmp_path / "raw/shapes", {"list.csv": b"x"})
    found = custom_raw_hashes(tmp_path / "raw", "shapes", HashCache(None))
    assert sorted(found) == ["all.zip", "list.csv"]
    write_zip(tmp_path / "raw/shapes/all.zip", below("top", CLASSES))
    assert custom_raw_hashes(tmp_path / "raw", "shapes", HashCache(None)) != found


def test_several_archives_with_folders_of_their_own_are_refused(tmp_path):
    for part in ("one", "two"):
        write_zip(tmp_path / f"raw/shapes/{part}.zip", below(part, CLASSES))
    error = refused(tmp_path, **SHARES)
    assert "one/ in one, two/ in another" in error.got
    assert "unpack them" in error.fix


def test_an_archive_for_each_class_has_its_folder(tmp_path):
    for kind in KINDS:
        members = {name: one for name, one in CLASSES.items() if name.startswith(f"{kind}/")}
        write_zip(tmp_path / f"raw/shapes/{kind}.zip", members)
    check_as_unpacked(tmp_path, CLASSES, **SHARES)


def test_archives_in_class_folders_may_have_folders_of_their_own(tmp_path):
    plain = {}
    for kind in KINDS:
        members = {f"a/{kind}/{name}": one for name, one in CLASSES.items() if kind in name}
        write_zip(tmp_path / f"raw/shapes/{kind}/part.zip", members)
        plain |= below(kind, members)
    check_as_unpacked(tmp_path, plain, **SHARES)


def test_archives_of_images_without_folders_say_where_to_put_them(tmp_path):
    for kind in KINDS[:2]:
        write_zip(tmp_path / f"raw/shapes/{kind}.zip", {"000.png": image(kind, 0)})
    assert "a folder of its class" in refused(tmp_path, **SHARES).fix


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_class_with_the_name_of_a_download_is_named(packing, tmp_path):
    strange = {f"spare.part/{number}.png": image("ring", number) for number in range(3)}
    write_any(tmp_path / "raw/shapes", "shapes", CLASSES | strange, packing)
    assert "spare.part/0.png" in refused(tmp_path, **SHARES).got


def test_only_the_folder_of_macos_is_left_out(tmp_path):
    members = {f"__MACOSX_{name}": one for name, one in CLASSES.items()}
    write_zip(tmp_path / "raw/shapes/shapes.zip", members)
    check_as_unpacked(tmp_path, members, **SHARES)
