import pytest
from hypothesis import given
from hypothesis import strategies as st

from cactus.data.arrays import load_images, load_sources
from cactus.data.prepare import prepare
from cactus.data.readers.miniimagenet_lists import parse_list
from cactus.errors import DataError
from tests.fuzz import examples
from tests.unit.data.rawfiles import SETTINGS, flat_jpeg, write_files, write_zip

PLAIN = "filename,label\na.jpg,n01\nb.jpg,n01\nc.jpg,n02\n"
ROWS = [("a.jpg", "n01"), ("b.jpg", "n01"), ("c.jpg", "n02")]
QUOTED = '"filename","label"\n"a.jpg","n01"\n"b.jpg","n01"\n"c.jpg","n02"\n'
CRLF = PLAIN.replace("\n", "\r\n")


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.rstrip(),
        PLAIN + "\n \n,,\n",
        "\n" + PLAIN.replace("b.jpg", "\n\nb.jpg"),
        QUOTED,
        PLAIN.replace(",", ", "),
        PLAIN.replace(",", " , ").replace("\n", " \n"),
        QUOTED.replace(",", ", "),
        PLAIN.replace(",n", ",n").replace("label", "label,size").replace("01\n", "01,84\n")
        .replace("02\n", "02,84\n"),
        PLAIN.replace("label\n", "label\n").replace("01\n", "01,\n").replace("02\n", "02,,\n"),
        ",filename,label\n0,a.jpg,n01\n1,b.jpg,n01\n2,c.jpg,n02\n",
        "#,filename,label\n0,a.jpg,n01\n1,b.jpg,n01\n2,c.jpg,n02\n",
        PLAIN.replace("filename", "Filename").replace("label", "LABEL"),
        PLAIN.replace("filename", "file_name"),
        "label,filename\nn01,a.jpg\nn01,b.jpg\nn02,c.jpg\n",
        "# a comment\n" + PLAIN + "# another, with a comma\n",
        "sep=;\n" + PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        CRLF,
        CRLF + "\x1a",
        PLAIN.replace("\n", "\r"),
        "\ufeff" + PLAIN,
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        CRLF.encode("utf-16-be"),
        "a.jpg,n01\nb.jpg,n01\nc.jpg,n02\n",
    ],
)  # fmt: skip
def test_forms_of_one_list(content):
    raw = content if isinstance(content, bytes) else content.encode()
    assert [(row.name, row.label) for row in parse_list(raw, "train.csv")] == ROWS


@pytest.mark.parametrize(
    ("content", "line", "shown"),
    [
        (b"", 1, "empty"),
        (b"\n\n", 1, "empty"),
        (b"file,class\na,b\n", 1, "file,class"),
        (b"filename,filename,label\n", 1, "filename,filename"),
        (b"filename,label\na.jpg,n01\nb.jpg\n", 3, "1 fields, not 2"),
        (b"filename,label\na.jpg,n01,x\n", 2, "3 fields, not 2"),
        (b"filename,label\n,n01\n", 2, "empty"),
        (b"filename,label\na.jpg,\n", 2, "empty"),
        (b'filename,label\n"a.jpg,n01\nb.jpg,n01\n', 2, '"a.jpg,n01'),
        (b"filename,label\na.jpg,n01\n\xff\xfe.jpg,n01\n", 3, "UTF-8"),
        (b"filename,label\na\x1b[31m.jpg,n01\n", 2, "\\x1b[31m"),
        (b"filename,label\na.jpg,n01\0\nb.jpg,n01\n", 2, "\\x00"),
        (b"filename,label\n" + b"a" * 200_000 + b",n01\n", 2, "aaa"),
        (b"<html><body>filename,label", 1, "<html>"),
    ],
)
def test_refusals_show_the_line(content, line, shown):
    with pytest.raises(DataError, match="list of images is not valid") as caught:
        parse_list(content, "train.csv")
    assert caught.value.where == f"train.csv, line {line}"
    assert shown in caught.value.got
    assert len(caught.value.got) < 400
    assert "\x1b" not in caught.value.got


FIELDS = st.sampled_from(
    ["filename", "label", "a.jpg", "n01", ",", ";", "\t", '"', "\n", "\r", "#", " ", "\0", "\ufeff"]
)


@pytest.mark.fuzz
@examples(300)
@given(st.lists(FIELDS | st.text(max_size=3), max_size=40).map("".join), st.booleans())
def test_any_text_is_read_or_refused(text, heading):
    content = ("filename,label\n" if heading else "") + text
    for encoding in ("utf-8", "utf-16"):
        read_or_refuse(content.encode(encoding, "surrogatepass"))


@pytest.mark.fuzz
@examples(300)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content):
    read_or_refuse(content)
    read_or_refuse(b"filename,label\n" + content)


def read_or_refuse(content):
    try:
        rows = parse_list(content, "list")
    except DataError:
        rows = []
    assert all(row.name and row.label and row.line > 0 for row in rows)


def run(tmp_path, lists, images):
    """Prepare images of one gray level each, by path; return each split's levels."""
    raw = tmp_path / "raw/miniimagenet"
    write_files(raw, {path: flat_jpeg(level) for path, level in images.items()})
    for split, rows in lists.items():
        text = "".join(f"{name},{label}\n" for name, label in rows)
        write_files(raw, {f"{split}.csv": f"filename,label\n{text}".encode()})
    prepare("miniimagenet", SETTINGS, tmp_path / "raw", tmp_path / "out", synthetic=False)
    return {split: load_images(tmp_path / "out", split)[:, 0, 0, 0].tolist() for split in lists}


LABELS = {"train": "finch", "val": "crab", "test": "lion"}
IN_FOLDERS = {
    f"images/{label}/{i}.jpg": 10 * i + 50 * number
    for number, label in enumerate(LABELS.values())
    for i in range(3)
}
LEVELS = {"train": [0, 10, 20], "val": [50, 60, 70], "test": [100, 110, 120]}


@pytest.mark.parametrize(
    "form", ["{label}/{i}.jpg", "{i}.jpg", "images/{label}/{i}.jpg", "/home/me/images/{label}/{i}",
             "{label}\\{i}.jpg", "./{label}/{i}.JPEG"],
)  # fmt: skip
def test_images_of_one_name_are_told_apart_by_their_folders(tmp_path, form):
    lists = {
        split: [(form.format(label=label, i=i), label) for i in range(3)]
        for split, label in LABELS.items()
    }
    assert run(tmp_path, lists, IN_FOLDERS) == LEVELS


def flat():
    lists = {
        split: [(f"{label}{i}.jpg", label) for i in range(4)] for split, label in LABELS.items()
    }
    images = {
        f"images/{name}": 3 * n
        for n, (name, _) in enumerate(row for rows in lists.values() for row in rows)
    }
    return lists, images


@pytest.mark.parametrize(
    ("split", "row", "first", "second"),
    [
        ("test", ("finch0.jpg", "lion"), "train.csv, line 2", "test.csv, line 6"),
        ("test", ("images/finch0.png", "lion"), "train.csv, line 2", "test.csv, line 6"),
        ("train", ("finch0.jpg", "finch"), "train.csv, line 2", "train.csv, line 6"),
        ("train", ("finch1.jpg", "wren"), "train.csv, line 3", "train.csv, line 6"),
    ],
)
def test_images_listed_twice_are_refused(tmp_path, split, row, first, second):
    lists, images = flat()
    lists[split].append(row)
    with pytest.raises(DataError, match="listed twice") as caught:
        run(tmp_path, lists, images)
    assert first in caught.value.where
    assert second in caught.value.where
    assert row[0] in caught.value.got
    assert not (tmp_path / "out/manifest.json").exists()


def test_class_in_two_splits_names_both_lines(tmp_path):
    lists, images = flat()
    lists["test"][3] = ("lion3.jpg", "finch")
    with pytest.raises(DataError, match="two splits") as caught:
        run(tmp_path, lists, images)
    assert "train.csv, line 2" in caught.value.where
    assert "test.csv, line 5" in caught.value.where


def test_names_that_may_be_several_files_are_refused(tmp_path):
    lists, images = flat()
    images["other/finch2.jpg"] = 200
    with pytest.raises(DataError, match="may be several files") as caught:
        run(tmp_path, lists, images)
    assert "train.csv, line 4" in caught.value.where
    assert "other/finch2.jpg" in caught.value.got


def test_suffixes_tell_images_of_one_name_apart(tmp_path):
    lists, images = flat()
    lists["train"][0] = ("finch0.png", "finch")
    lists["train"][1] = ("finch1", "finch")
    levels = run(tmp_path, lists, images | {"images/finch0.png": 200})
    assert levels["train"] == [200, 3, 6, 9]
    assert run(tmp_path, lists, {}) == levels


def test_a_listed_folder_that_is_absent_gets_no_other_image(tmp_path):
    lists = {
        split: [(f"{label}/{i}.jpg", label) for i in range(4)] for split, label in LABELS.items()
    }
    images = IN_FOLDERS | {"images/finch/3.jpg": 30}
    assert run(tmp_path, lists, images)["train"] == [0, 10, 20, 30]
    assert run(tmp_path, lists, images)["test"] == LEVELS["test"]


def test_images_in_no_list_are_counted(tmp_path):
    lists, images = flat()
    run(tmp_path, lists, images | {"images/more.jpg": 1})
    notes = load_sources(tmp_path / "out").notes
    assert "1 images that are in no list were not used" in notes


def test_lists_of_one_name_that_differ_are_refused(tmp_path):
    lists, images = flat()
    write_files(tmp_path / "raw/miniimagenet/old", {"train.csv": b"filename,label\n"})
    with pytest.raises(DataError, match="same name and differ"):
        run(tmp_path, lists, images)


def test_loose_lists_replace_those_in_an_archive(tmp_path):
    lists, images = flat()
    write_zip(tmp_path / "raw/miniimagenet/lists.zip", {"train.csv": b"filename,label\n"})
    assert len(run(tmp_path, lists, images)["train"]) == 4
