"""Images of miniImageNet that cannot be used are named, all at once."""

import zipfile

from tests.unit.data.rawfiles import (
    mini_flat,
    mini_split_folders,
    write_files,
    write_zip,
)
from tests.unit.data.readers.miniimagenet.mini import (
    CLASSES,
    FORMS,
    IMAGES,
    check_content,
    fails,
    run,
)


def test_all_bad_images_are_named_at_once(tmp_path):
    """In every split, loose and in a zip, whatever is wrong with them; each says how to mend it."""
    members = mini_flat(CLASSES, IMAGES)
    names = sorted(name for name in members if name.endswith(".jpg"))
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
    bad = {names[0]: b"", names[5]: members[names[5]][:200], names[-1]: pointer}
    write_zip(tmp_path / "raw/miniimagenet/more.zip", {names[9]: b"no image"})
    del members[names[9]]
    error = fails(tmp_path, members | bad, "4 images cannot be used")
    assert all(name in error.got for name in [*bad, f"more.zip/{names[9]}"])
    for remedy in (
        "get the file again",
        f"raw/miniimagenet/{names[9]}, which then counts",
        "git lfs pull",
    ):
        assert remedy in error.fix
    assert not list((tmp_path / "out").glob("*"))


def test_many_bad_images_are_counted(tmp_path):
    members = {name: data if name.endswith("csv") else b"" for name, data in FORMS[
        "flat images with csv"].items()}  # fmt: skip
    error = fails(tmp_path, members, "28 images cannot be used")
    assert error.got.count("\n") == 10
    assert error.got.endswith("and 18 more")


def test_members_with_wrong_checksums_are_all_named(tmp_path):
    members = mini_flat(CLASSES, IMAGES)
    path = tmp_path / "raw/miniimagenet/mini.zip"
    write_zip(path, members)
    with zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if info.filename.endswith(".jpg")]
    content = bytearray(path.read_bytes())
    for info in (infos[0], infos[-1]):
        content[info.header_offset + 30 + len(info.filename) + info.compress_size // 2] ^= 255
    path.write_bytes(content)
    error = fails(tmp_path, {}, "2 images cannot be used")
    assert infos[0].filename in error.got
    assert infos[-1].filename in error.got


def test_a_good_copy_replaces_the_bad_one_in_an_archive(tmp_path):
    members = mini_flat(CLASSES, IMAGES)
    name = next(iter(members))
    write_zip(tmp_path / "raw/miniimagenet/images.zip", members | {name: members[name][:200]})
    assert "which then counts" in fails(tmp_path, {}, "cannot be decoded").fix
    write_files(tmp_path / "raw/miniimagenet", {name: members[name]})
    check_content(run(tmp_path))


def test_undecodable_image(tmp_path):
    members = mini_split_folders(CLASSES, IMAGES)
    name = next(iter(members))
    assert name in fails(tmp_path, members | {name: b"no image"}, "cannot be decoded").where
