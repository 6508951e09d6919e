"""Configuration files that are not plain data are refused at once, with their line."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cactus.config.yaml_file import parse_document, parse_value, read_document
from cactus.errors import ConfigError

ROOT = Path(__file__).parents[3]
LISTS = "[&a0 [x,x,x,x,x,x,x,x,x]" + "".join(
    f", &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)
)
MAPPINGS = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{" + ", ".join(f"{key}: *a{n - 1}" for key in "abcdefghi") + "}\n"
    for n in range(1, 10)
)
REFUSED = {
    "a list bomb": f"run: {LISTS}]\n",
    "a list bomb in a list": f"grid: {{seeds: {LISTS}]}}\n",
    "a mapping bomb": MAPPINGS,
    "a merge bomb": MAPPINGS.replace("{a:", "{<<: *a0, a:"),
    "a deep list": f"run: {'[' * 20_000}{']' * 20_000}\n",
    "a deep mapping": f"run: {'{a: ' * 3000}1{'}' * 3000}\n",
    "deep blocks": "".join(f"{' ' * n}a:\n" for n in range(500)),
    "a list of itself": "run: &a [*a]\n",
    "a mapping in itself": "learners: {maml: &m {per_dataset: {mnist: *m}}}\n",
    "a merge of itself": "run: &a {<<: *a}\n",
    "an unknown alias": "run: *nothing\n",
    "a merge of a number": "<<: 3\nrun: a\n",
    "two merges": "a: &a {x: 1}\nb: {<<: *a, <<: *a}\n",
    **{
        f"the tag {tag}": f"run: {tag}\n"
        for tag in (
            "!!int foo", "!!int ''", "!!int 0b_", "!!float foo", "!!bool foo", "!!map [a]",
            "!!timestamp foo", "!!str 1", "!!binary x", "!!set {a}", "!!omap [a: 1]", "!own x",
            "!!python/object:os.system {}", "!!python/name:os.system ''", "! x",
        )
    },
    "a tag of a key": "? !!bool foo\n: 1\n",
    "a tag in a list": "grid: {seeds: [!!int '']}\n",
    **{
        f"the date {date}": f"run: {date}\n"
        for date in ("2001-01-01", "2001-02-30", "2001-13-45", "2001-01-01 25:61:61",
                     "2001-01-01t00:00:00+99:99", "2001-1-1T1:1:1Z")
    },
    "a date as a key": "? 2001-13-45\n: 1\n",
    "a surrogate": 'run: "\\ud800"\n',
    "a surrogate in a list": 'grid: {embeddings: ["\\ud800"]}\n',
    "a null character": 'run: "\\0"\n',
    "an escape code": 'run: "\\e[31m"\n',
    "a raw control character": "run: a\x07\n",
    "a number of 5000 digits": f"run: {'9' * 5000}\n",
    "a number above 2^63": f"grid: {{seeds: [{2**63}]}}\n",
    **{f"the number {text}": f"run: {text}\n" for text in ("010", "0x1F", "0b11", "0o7", "1:30")},
    "a key twice": "run: a\nrun: b\n",
    "a nested key twice": "grid: {seeds: [0], seeds: [1]}\n",
    "a key that is a number": "1: a\n",
    "a key that is true": "on: a\n",
    "a key that is null": "~: a\n",
    "a key that is a list": "? [a]\n: 1\n",
    "a tab": "run:\n\tgrid: 1\n",
    "two documents": "run: a\n---\nrun: b\n",
    "nothing": "",
    "a comment": "# run: a\n",
    "null": "~\n",
    "a list": "- a\n",
    "a word": "run\n",
    "an open list": "run: [\n",
    "an open quote": 'run: "a\n',
    "an unknown directive": "%YAML 9.9\n---\nrun: a\n",
    "many values": f"run: [{', '.join(['1'] * 30_000)}]\n",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_text_that_is_not_plain_data_is_refused(text):
    with pytest.raises(ConfigError) as caught:
        parse_document(text, "a.yaml")
    error = caught.value
    assert error.where.startswith("a.yaml")
    assert 0 < len(error.got) <= 250
    assert 0 < len(error.fix) <= 250
    assert str(error).isprintable() or "\n" in str(error)


BYTES = {
    "latin-1": "run: größe\n".encode("latin-1"),
    "utf-16": "run: a\n".encode("utf-16"),
    "a null byte": b"run: a\0\n",
    "a surrogate": b"run: \xed\xa0\x80\n",
    "a large file": b"# " + b"x" * 400_000 + b"\nrun: a\n",
}


@pytest.mark.parametrize("content", BYTES.values(), ids=BYTES)
def test_a_file_that_is_no_text_is_refused(tmp_path, content):
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match="A configuration") as caught:
        read_document(tmp_path / "a.yaml")
    assert "a.yaml" in caught.value.where
    assert caught.value.got


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "below a file", "device", "long"])
def test_what_is_not_a_file_is_refused(tmp_path, kind):
    path = tmp_path / "a.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "below a file":
        path.write_text("run: a\n")
        path = path / "b.yaml"
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "long":
        path = tmp_path / ("a" * 300)
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        read_document(path)
    assert caught.value.where == str(path)
    assert caught.value.got


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001), ("1e5", 100000.0), (".5", 0.5), ("-1.5", -1.5), ("1_000", 1000),
        ("yes", True), ("Off", False), ("~", None), ("", None), ("null", None), ("'1'", "1"),
        ("a b", "a b"), ("[1, a]", [1, "a"]), ("{a: {b: 1}}", {"a": {"b": 1}}),
        ("'2001-01-01'", "2001-01-01"), ("-", [None]), ("0", 0), ("+3", 3), ("v1", "v1"),
        ("'<<'", "<<"), ("[&x {a: 1}, {<<: *x, b: 2}]", [{"a": 1}, {"a": 1, "b": 2}]),
        ("[&x {a: 1}, {a: 2, <<: *x}]", [{"a": 1}, {"a": 2}]),
        ("[&x {a: 1}, &y {a: 2, b: 2}, {<<: [*x, *y]}]",
         [{"a": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 2}]),
    ],
)  # fmt: skip
def test_plain_values_have_their_types(text, value):
    found = parse_value(text, "here")
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("path", sorted(ROOT.glob("config/*.yaml")), ids=lambda path: path.name)
def test_shipped_files_are_read_as_pyyaml_reads_them(path):
    assert read_document(path).values == yaml.safe_load(path.read_text())


def test_each_key_has_its_line():
    lines = parse_document("a:\n  b: 1\n  c: [1,\n      2]\nd: &x {e: 1}\nf: *x\n", "a.yaml").lines
    assert lines["a", "b"] == 2
    assert lines["a", "c", 1] == 4
    assert (lines["f",], lines["f", "e"]) == (6, 5)


def test_all_of_them_together_take_little_time_and_memory(tmp_path):
    for index, text in enumerate([*REFUSED.values(), *BYTES.values()]):
        raw = text if isinstance(text, bytes) else text.encode()
        (tmp_path / f"{index}.yaml").write_bytes(raw)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from cactus.config.yaml_file import read_document\nfrom cactus.errors import ConfigError\n"
        "refused = 0\n"
        "for path in Path(sys.argv[1]).iterdir():\n"
        "    try:\n        read_document(path)\n"
        "    except ConfigError:\n        refused += 1\n"
        "print(refused)"
    )
    limit = 600 * 2**20  # of address space: the interpreter and its libraries need most of it

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))

    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT / "workflow/scripts",
        preexec_fn=limited,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.stdout.strip() == str(len(REFUSED) + len(BYTES)), run.stderr


@pytest.mark.parametrize(
    "name",
    ["tables/omniglot.tex", "records/meta_train/a.json", "summary.yaml", "../notes.txt"],
)
def test_a_target_or_a_result_is_no_configuration(name: str, tmp_path: Path):
    run = tmp_path / "results/small"
    for folder in ("records", "plans"):
        (run / folder).mkdir(parents=True)
    path = run / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("seeds: [1]\n")
    with pytest.raises(ConfigError, match="cannot be read") as error:
        read_document(path)
    assert "targets stand right after `snakemake`" in error.value.fix


def test_the_configuration_of_a_run_can_be_read(tmp_path: Path):
    (tmp_path / "records").mkdir()
    (tmp_path / "plans").mkdir()
    path = tmp_path / "plans/config.json"
    path.write_text('{"run": "a"}')
    assert read_document(path).values == {"run": "a"}


def test_a_misspelled_file_gets_the_nearest_one(tmp_path: Path):
    (tmp_path / "demo.yaml").touch()
    with pytest.raises(ConfigError) as caught:
        read_document(tmp_path / "dem.yaml")
    assert caught.value.fix == "did you mean 'demo.yaml'?"
    with pytest.raises(ConfigError, match="targets stand right after"):
        read_document(tmp_path / "results")
