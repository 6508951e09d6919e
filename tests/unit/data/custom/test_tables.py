"""Tables of one's own: which images and classes they give, and what is refused."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest

from cactus.data.arrays import Manifest, load_manifest, load_sources
from cactus.data.prepare import prepare
from cactus.errors import DataError
from cactus.splits import SPLITS
from tests.unit.data.custom.drawing import KINDS, settings, shape, write_table

HEAD = ("file", "class", "split")
SPLIT_OF = {"circle": "train", "ring": "train", "square": "val", "bar": "test"}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A flat folder of images; a table beside it is written by the tests."""
    folder = tmp_path / "raw/shapes"
    (folder / "images").mkdir(parents=True)
    for kind in KINDS:
        for number in range(3):
            shape(kind, number).save(folder / f"images/{kind}-{number}.png")
    return folder


def rows() -> list[Sequence[str]]:
    return [
        (f"images/{kind}-{number}.png", kind, split)
        for kind, split in SPLIT_OF.items()
        for number in range(3)
    ]


def prepared(tmp_path: Path, **own: object) -> Manifest:
    chosen = settings(table="list.csv", **own)
    prepare("shapes", chosen, tmp_path / "raw", tmp_path / "out", synthetic=False)
    return load_manifest(tmp_path / "out")


def refused(tmp_path: Path, **own: object) -> DataError:
    with pytest.raises(DataError) as error:
        prepared(tmp_path, **own)
    return error.value


def test_the_column_split_divides_the_classes(raw, tmp_path):
    write_table(raw / "list.csv", [HEAD, *rows()])
    manifest = prepared(tmp_path)
    found = {label: name for name, one in manifest.splits.items() for label in one.classes}
    assert found == SPLIT_OF
    assert "list.csv" in {one.file for one in load_sources(tmp_path / "out").raw}


def test_a_seed_divides_the_classes_instead(raw, tmp_path):
    write_table(raw / "list.csv", [HEAD, *rows()])
    manifest = prepared(tmp_path, split={"shares": [0.5, 0.25, 0.25], "seed": 3})
    classes = [manifest.splits[split].classes for split in SPLITS]
    assert [len(one) for one in classes] == [2, 1, 1]
    assert sorted(chain(*classes)) == sorted(SPLIT_OF)


def test_neither_the_order_of_rows_nor_more_columns_matter(raw, tmp_path):
    write_table(raw / "list.csv", [HEAD, *rows()])
    first = prepared(tmp_path).splits
    turned = [(split, "by me", path, label) for path, label, split in reversed(rows())]
    write_table(raw / "list.csv", [("split", "note", "file", "class"), *turned])
    assert prepared(tmp_path).splits == first


def test_a_table_may_start_with_a_byte_order_mark(raw, tmp_path):
    write_table(raw / "list.csv", [HEAD, *rows()])
    content = (raw / "list.csv").read_bytes()
    (raw / "list.csv").write_bytes(b"\xef\xbb\xbf" + content)
    assert prepared(tmp_path).splits["train"].classes == ["circle", "ring"]


@pytest.mark.parametrize(
    ("extra", "got", "place"),
    [
        (("images/none.png", "ring", "train"), "images/none.png, and no such file", "line 14"),
        (("../shapes/images/ring-0.png", "ring", "train"), "no such file", "line 14"),
        (("images/ring-0.png", "ring", "train"), "images/ring-0.png again", "line 14"),
        (("images/cross-0.png", "", "train"), "no value of `class` in line 14", "list.csv"),
        (("images/cross-0.png", "cross"), "no value of `split` in line 14", "list.csv"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(raw, tmp_path, extra, got, place):
    write_table(raw / "list.csv", [HEAD, *rows(), extra])
    error = refused(tmp_path)
    assert got in error.got
    assert place in error.where


def test_a_class_in_two_splits_is_named(raw, tmp_path):
    write_table(raw / "list.csv", [HEAD, *rows(), ("images/cross-0.png", "ring", "test")])
    assert refused(tmp_path).where.endswith("class ring")


def test_an_unknown_split_is_named(raw, tmp_path):
    write_table(raw / "list.csv", [HEAD, *rows(), ("images/cross-0.png", "cross", "vall")])
    error = refused(tmp_path)
    assert "'vall'" in error.got
    assert "did you mean 'val'?" in error.fix


@pytest.mark.parametrize(
    "content",
    [b"", b"file;class;split\nimages/ring-0.png;ring;train\n", b"file,class,split\n\xff\xfe\n"],
)
def test_files_that_are_no_tables_are_refused(raw, tmp_path, content):
    (raw / "list.csv").write_bytes(content)
    error = refused(tmp_path)
    assert error.where.endswith("list.csv")
    assert "columns file, class, split" in error.fix or "UTF-8" in error.fix


def test_a_missing_table_is_named(raw, tmp_path):
    assert refused(tmp_path).where == str(raw / "list.csv")


def test_a_class_listed_twice_by_the_file_of_the_split_is_refused(raw, tmp_path):
    write_table(raw / "list.csv", [HEAD, *rows()])
    pairs = [*SPLIT_OF.items(), ("ring", "test")]
    write_table(raw / "classes.csv", [("class", "split"), *pairs])
    assert refused(tmp_path, split={"file": "classes.csv"}).got == "a class in two rows"
