"""The lists of CelebA as pandas, spreadsheets and mirrors write them."""

import gzip

import numpy as np
import pytest

from cactus.data.arrays import load_labels, load_manifest, load_sources
from cactus.data.prepare import check_raw, prepare
from cactus.errors import DataError
from tests.unit.data.rawfiles import (
    ATTRIBUTE_NAMES,
    SETTINGS,
    celeba_attributes,
    celeba_csv_lists,
    celeba_images,
    celeba_lists,
    celeba_partition,
    write_files,
)

COUNT = 16
ATTRIBUTES, PARTITION = "list_attr_celeba", "list_eval_partition"
VALUES = celeba_attributes(COUNT)
IMAGES = [f"{i + 1:06d}.jpg" for i in range(COUNT)]


def run(tmp_path, lists, images=None):
    write_files(tmp_path / "raw/celeba", (images or celeba_images(COUNT)) | lists)
    check_raw("celeba", SETTINGS, tmp_path / "raw")
    prepare("celeba", SETTINGS, tmp_path / "raw", tmp_path / "out", synthetic=False)
    return tmp_path / "out"


def check_labels(out):
    parts = celeba_partition(COUNT)
    for split, part in (("train", "0"), ("val", "1"), ("test", "2")):
        members = [i for i in range(COUNT) if parts[i] == part]
        np.testing.assert_array_equal(load_labels(out, split), VALUES[members])


def table(separator=",", index=False, image_heading="image_id", yes="1", no="-1", quote=""):
    """An attribute table in one of the ways to write it."""
    heading = [*([""] if index else []), image_heading, *ATTRIBUTE_NAMES]
    rows = [heading]
    for i, row in enumerate(VALUES):
        rows.append([*([str(i)] if index else []), IMAGES[i], *(yes if v else no for v in row)])
    return "\n".join(separator.join(f"{quote}{v}{quote}" for v in row) for row in rows) + "\n"


TABLES = {
    "csv": table(),
    "pandas": table(index=True),
    "pandas, image as index": table(image_heading=""),
    "unnamed": table(index=True, image_heading="Unnamed: 0"),
    "True and False": table(yes="True", no="False"),
    "TRUE and FALSE": table(yes="TRUE", no="FALSE"),
    "1.0 and -1.0": table(yes="1.0", no="-1.0"),
    "1 and 0": table(no="0"),
    "1.0 and 0.0": table(yes="1.0", no="0.0"),
    "quotes": table(quote='"'),
    "semicolons": table(separator=";"),
    "tabs": table(separator="\t"),
    "spaces after commas": table(separator=", "),
    "png": table().replace(".jpg", ".png"),
    "capitals": table().replace(".jpg", ".JPG"),
    "folders": table().replace("0000", "img_align_celeba/0000"),
    "blank lines": table().replace("\n", "\n\n"),
    "Windows": "\ufeff" + table().replace("\n", "\r\n") + "\x1a",
    "old Macintosh": table().replace("\n", "\r"),
}


@pytest.mark.parametrize("case", list(TABLES))
@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_attribute_tables(tmp_path, case, suffix):
    lists = {f"{ATTRIBUTES}{suffix}": TABLES[case].encode()}
    lists |= {f"{PARTITION}.txt": celeba_lists(COUNT)[f"{PARTITION}.txt"]}
    check_labels(run(tmp_path, lists))


PARTITIONS = {
    "no heading": "{},{}\n",
    "text": "{} {}\n",
    "heading 0,1": "0,1\n{},{}\n",
    "heading": "image_id,partition\n{},{}\n",
    "other words": "file;split\n{};{}\n",
    "pandas": ",image_id,partition\n{number},{},{}\n",
    "pandas, no names": ",0,1\n{number},{},{}\n",
    "floats": "image_id,partition\n{},{}.0\n",
    "quotes": '"image_id","partition"\n"{}","{}"\n',
}


@pytest.mark.parametrize("case", list(PARTITIONS))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_partition_tables(tmp_path, case, encoding):
    *heading, row = PARTITIONS[case].splitlines(keepends=True)
    rows = [
        row.format(*pair, number=i)
        for i, pair in enumerate(zip(IMAGES, celeba_partition(COUNT), strict=True))
    ]
    content = "".join([*heading, *rows]).encode(encoding)
    lists = celeba_lists(COUNT)
    del lists[f"{PARTITION}.txt"]
    check_labels(run(tmp_path, lists | {f"{PARTITION}.csv": content}))


def test_text_under_the_names_of_tables_and_the_other_way_round(tmp_path):
    text = {name.replace(".txt", ".csv"): data for name, data in celeba_lists(COUNT).items()}
    check_labels(run(tmp_path / "a", text))
    tables = {name.replace(".csv", ".txt"): data for name, data in celeba_csv_lists(COUNT).items()}
    check_labels(run(tmp_path / "b", tables))
    capitals = {name.upper(): gzip.compress(data) for name, data in celeba_lists(COUNT).items()}
    check_labels(run(tmp_path / "c", capitals))


def test_png_images_and_lists(tmp_path):
    images = {name.replace(".jpg", ".png"): data for name, data in celeba_images(COUNT).items()}
    lists = {name: data.replace(b".jpg", b".png") for name, data in celeba_lists(COUNT).items()}
    check_labels(run(tmp_path, lists, images))


def changed(name, line, text):
    """A list with one line replaced, or with a line more."""
    lists = celeba_lists(COUNT)
    lines = lists[f"{name}.txt"].decode().splitlines()
    lines[line - 1 : line] = [text] if text else [lines[line - 1], lines[line - 1]]
    return lists | {f"{name}.txt": "\n".join(lines).encode()}


ROW = "000001.jpg " + " ".join(["1"] * 40)


@pytest.mark.parametrize(
    ("lists", "got"),
    [
        (changed(PARTITION, 4, "000001.jpg 2"), "it is in the train split"),
        (changed(PARTITION, 1, "00001.jpg 0"), "'00001.jpg 0', expected an image"),
        (changed(ATTRIBUTES, 9, ROW), "expected no second row with other values"),
        (changed(ATTRIBUTES, 9, ROW.replace(" 1 1 ", " 0 -1 ", 1)), "expected one pair of values"),
        (changed(ATTRIBUTES, 9, ROW + " 1"), "expected an image and 40"),
        (changed(ATTRIBUTES, 1, "9" * 5000), "expected the number of images"),
        (changed(ATTRIBUTES, 1, "9" * 200_000), "in 1 lines, the last of 65536 bytes"),
        (changed(ATTRIBUTES, 2, " ".join(["x"] * 40)), "expected 40 attribute names"),
        ({f"{ATTRIBUTES}.txt": b"\0" * 5000, f"{PARTITION}.txt": b""}, "expected"),
        ({f"{ATTRIBUTES}.txt": b"PK\x03\x04\xff\xfe", f"{PARTITION}.txt": b"\xff"}, "a zip"),
    ],
)  # fmt: skip
def test_bad_rows_are_named(tmp_path, lists, got):
    with pytest.raises(DataError) as caught:
        run(tmp_path, lists)
    assert got in caught.value.got
    assert len(str(caught.value)) < 2000


def test_list_of_nothing_but_line_ends_is_refused_early(tmp_path):
    lists = celeba_lists(COUNT) | {f"{ATTRIBUTES}.txt": gzip.compress(b"\n" * 3_000_000)}
    with pytest.raises(DataError, match="more than is allowed"):
        run(tmp_path, lists)


def test_images_from_elsewhere_are_noted(tmp_path):
    images = celeba_images(COUNT)
    images["img_celeba/000002.jpg"] = images.pop("img_align_celeba/000002.jpg")
    out = run(tmp_path, celeba_lists(COUNT), images)
    note = "1 images are in no folder or archive of the name img_align_celeba"
    assert any(one.startswith(note) for one in load_sources(out).notes)


def test_attribute_names_are_made_printable(tmp_path):
    text = table().replace("Attribute_3,", "\x1b[31mred,")
    partition = celeba_lists(COUNT)[f"{PARTITION}.txt"]
    out = run(tmp_path, {f"{ATTRIBUTES}.csv": text.encode(), f"{PARTITION}.txt": partition})
    assert load_manifest(out).splits["train"].classes[3] == r"\x1b[31mred"


def test_rows_that_repeat_themselves_are_noted(tmp_path):
    lists = changed(PARTITION, 4, "") | {
        f"{ATTRIBUTES}.txt": changed(ATTRIBUTES, 9, "")[f"{ATTRIBUTES}.txt"]
    }
    out = run(tmp_path, lists)
    check_labels(out)
    notes = load_sources(out).notes
    for name in (PARTITION, ATTRIBUTES):
        assert f"1 rows of {name}.txt are there twice, with the same values" in notes


def test_what_is_seen_and_not_used_is_named(tmp_path):
    files = {
        "img_align_celeba_png.7z.001": b"7z",
        "list_attr_celeba (1).txt": b"1",
        "list_bbox_celeba.txt": b"1",
        "identity_CelebA.csv": b"1",
    }
    write_files(tmp_path / "raw/celeba", files)
    with pytest.raises(DataError, match="are missing") as caught:
        check_raw("celeba", SETTINGS, tmp_path / "raw")
    got = caught.value.got
    assert "img_align_celeba_png.7z.001 (one volume of a split archive" in got
    assert "list_attr_celeba (1).txt (if it is list_attr_celeba.txt, rename it so)" in got
