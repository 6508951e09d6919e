"""Copies of Omniglot that file systems, file managers and other kits have changed."""

import io

import numpy as np
import pytest
from PIL import Image

from cactus.data.arrays import load_images, load_labels, load_manifest, load_sources
from cactus.data.prepare import check_raw, prepare
from cactus.errors import DataError
from tests.unit.data.rawfiles import SETTINGS, omniglot_members, write_files, write_zip

MEMBERS = {name: data for part in omniglot_members().values() for name, data in part.items()}
SPLITS = ("train", "val", "test")


def run(tmp_path, members):
    write_files(tmp_path / "raw/omniglot", members)
    check_raw("omniglot", SETTINGS, tmp_path / "raw")
    prepare("omniglot", SETTINGS, tmp_path / "raw", tmp_path / "out", synthetic=False)
    return tmp_path / "out"


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return run(tmp_path_factory.mktemp("reference"), MEMBERS)


def check_same(out, reference):
    for split in SPLITS:
        np.testing.assert_array_equal(load_images(out, split), load_images(reference, split))
        np.testing.assert_array_equal(load_labels(out, split), load_labels(reference, split))


def renamed(change):
    return {change(name): data for name, data in MEMBERS.items()}


def recoded(content, mode, kind="PNG", **options):
    """The same drawing in another mode; ink on transparent ground where the mode has it."""
    page = Image.open(io.BytesIO(content)).convert("L")
    ink = page.point(lambda level: 255 - level)
    if mode == "16 bits":
        image = Image.fromarray(np.asarray(page).astype(np.uint16) * 257)
    elif mode in ("LA", "RGBA"):
        image = Image.new(mode, page.size, 0)
        image.putalpha(ink)
    elif mode == "P with transparency":
        image = page.convert("1").convert("P")
        options["transparency"] = image.getpixel((0, 0)) if page.getpixel((0, 0)) else 255
    else:
        image = page.convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "RGB", "LA", "RGBA", "16 bits", "P with transparency"]
)
def test_every_mode_gives_the_same_arrays(tmp_path, reference, mode):
    check_same(
        run(tmp_path, {name: recoded(data, mode) for name, data in MEMBERS.items()}), reference
    )


def test_white_ink_on_transparent_ground_is_refused(tmp_path):
    white = {}
    for name, data in MEMBERS.items():
        page = Image.open(io.BytesIO(data)).convert("L")
        image = Image.new("LA", page.size, 255)
        image.putalpha(page.point(lambda level: 255 - level))
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        white[name] = buffer.getvalue()
    with pytest.raises(DataError, match="meaning is not clear") as caught:
        run(tmp_path, white)
    assert "one flat tone" in caught.value.got


@pytest.mark.parametrize(
    "change",
    [
        lambda name: name.replace(".png", ".PNG"),
        lambda name: name.replace("character", "Character"),
        lambda name: f"I{name[1:]}",
        lambda name: f"python/{name}",
        lambda name: name[len("images_") :],
        lambda name: f"omniglot {name}".replace("_", " ", 1),
    ],
)  # fmt: skip
def test_other_names_give_the_same_arrays(tmp_path, reference, change):
    check_same(run(tmp_path, renamed(change)), reference)


def test_what_systems_add_is_left_out(tmp_path, reference):
    first = next(iter(MEMBERS))
    folder, name = first.rsplit("/", 1)
    others = ["Thumbs.db", "desktop.ini", ".DS_Store", f"._{name}"]
    copies = [name.replace(".png", mark) for mark in (" (1).png", " - Copy.png", "(2).png")]
    added = {f"{folder}/{other}": MEMBERS[first] for other in others + copies}
    added |= {f"__MACOSX/{folder}/._{name}": b"x", f"__MACOSX/{folder}/{name}": MEMBERS[first]}
    check_same(run(tmp_path, MEMBERS | added), reference)


def test_character_in_both_parts_is_refused(tmp_path):
    first = next(iter(MEMBERS))
    other = first.replace("images_background/", "images_evaluation/").replace("_01.png", "_09.png")
    with pytest.raises(DataError, match="both parts") as caught:
        run(tmp_path, MEMBERS | {other: MEMBERS[first]})
    assert "images_background_One/character01" in caught.value.got


def test_a_smaller_part_beside_the_whole_one_counts_once(tmp_path, reference):
    small = {
        name.replace("background/", "background_small1/"): data
        for name, data in MEMBERS.items()
        if "background/" in name
    }
    check_same(run(tmp_path, MEMBERS | small), reference)


def test_archive_in_an_archive_is_named(tmp_path):
    write_zip(tmp_path / "raw/omniglot/archive.zip", {"images_background.zip": b"PK", "x.png": b""})
    with pytest.raises(DataError, match="are missing") as caught:
        run(tmp_path, {})
    assert "archive.zip/images_background.zip (an archive inside an archive" in caught.value.got


def test_pointers_of_lfs_in_an_archive_are_named(tmp_path):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    write_zip(tmp_path / "raw/omniglot/omniglot-main.zip", dict.fromkeys(MEMBERS, pointer))
    with pytest.raises(DataError, match="pointer of Git LFS") as caught:
        run(tmp_path, {})
    assert "omniglot-main.zip/images_" in caught.value.got
    assert "git lfs pull" in caught.value.fix


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("{folder}/\udcff00.png", None),
        ("images_background/Alpha\udcff/character01/0001_0{i}.png", r"Alpha\xff/character01"),
        ("images_background/\x1b[31m\n/character01/0001_0{i}.png", r"\x1b[31m\x0a/character01"),
        ("images_background/\u202eא/character01/0001_0{i}.png", "\\u202eא/character01"),
        ("images_background/Ωμέγα/character01/0001_0{i}.png", "Ωμέγα/character01"),
    ],
)
@pytest.mark.parametrize("packing", ["folder", "zip"])
def test_names_of_any_bytes(tmp_path, place, shown, packing):
    if packing == "zip" and "\udcff" in place:
        pytest.skip("a zip archive has no such names")
    folder = next(iter(MEMBERS)).rsplit("/", 1)[0]
    added = {place.format(folder=folder, i=i): next(iter(MEMBERS.values())) for i in range(1, 4)}
    if packing == "zip":
        write_zip(tmp_path / "raw/omniglot/more.zip", added)
        added = {}
    out = run(tmp_path, MEMBERS | added)
    manifest = load_manifest(out)
    classes = [name for split in manifest.splits.values() for name in split.classes]
    assert len(classes) == 8 + (shown is not None)
    assert shown is None or shown in classes
    (out / "manifest.json").read_text(encoding="utf-8").encode("ascii")


@pytest.mark.parametrize("name", ["\udcff.zip", "a\x1b[31m.zip"])
def test_archive_whose_name_cannot_be_recorded(tmp_path, name):
    write_zip(tmp_path / "raw/omniglot" / name, MEMBERS)
    with pytest.raises(DataError, match="cannot be recorded") as caught:
        run(tmp_path, {})
    caught.value.where.encode()
    assert "rename" in caught.value.fix


def test_class_folder_whose_name_is_all_that_is_common(tmp_path):
    odd = {f"\udcff/{name}": data for name, data in MEMBERS.items()}
    assert [record.file for record in load_sources(run(tmp_path, odd)).raw] == ["./"]
