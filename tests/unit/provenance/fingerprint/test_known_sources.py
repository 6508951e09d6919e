"""What texts of Python tell is found once, and never of another text."""

import json
import sys
from pathlib import Path

import pytest

from cactus.provenance.fingerprint import known_sources
from cactus.provenance.fingerprint.known_sources import KnownSources, beside_the_code
from cactus.provenance.fingerprint.source_hash import read_source

ONE, OTHER = b"import json\nx = 1\n", b"import json\nx = 2\n"


@pytest.fixture(autouse=True)
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The texts that were parsed, while Python keeps bytecode."""
    texts: list[bytes] = []

    def read(text: bytes, module: str):
        texts.append(text)
        return read_source(text, module)

    monkeypatch.setattr(known_sources, "read_source", read)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return texts


def saved(file: Path, *texts: bytes) -> Path:
    known = KnownSources(file)
    for text in texts:
        known.read(text, "m")
    known.save()
    return file


def test_a_text_is_parsed_once_in_all_processes(tmp_path, parsed):
    file = saved(tmp_path / "known.json", ONE, OTHER, ONE)
    assert parsed == [ONE, OTHER]
    known = KnownSources(file)
    assert known.read(ONE, "m") == read_source(ONE, "m")
    assert known.read(OTHER, "m") == read_source(OTHER, "m")
    assert parsed == [ONE, OTHER]
    assert known.read(b"from . import a", "m.n").imports == ("m", "m.a")
    assert known.read(b"from . import a", "o.n").imports == ("o", "o.a")


def test_a_text_that_is_no_python_is_refused_each_time(tmp_path):
    known = KnownSources(tmp_path / "known.json")
    for _ in range(2):
        with pytest.raises(SyntaxError):
            known.read(b"x = (", "m")
    known.save()
    assert not (tmp_path / "known.json").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:40],
        lambda _: "[]",
        lambda text: text.replace("3.", "2."),  # of another Python
        lambda text: json.dumps({**json.loads(text), "form": "another parser"}),
        lambda text: json.dumps({**json.loads(text), "entries": {"a m": ["b", 3]}}),
    ],
)
def test_a_file_that_is_damaged_or_of_other_code_is_made_again(damage, tmp_path, parsed):
    file = saved(tmp_path / "known.json", ONE)
    file.write_text(damage(file.read_text()))
    saved(file, ONE)
    saved(file, ONE)
    assert parsed == [ONE, ONE]


def test_nothing_is_kept_where_python_keeps_no_bytecode(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert not saved(tmp_path / "known.json", ONE).exists()


def test_one_who_may_not_write_keeps_nothing(tmp_path):
    (tmp_path / "folder").write_text("")
    saved(tmp_path / "folder/known.json", ONE)


def test_it_lies_beside_the_bytecode():
    assert beside_the_code().parent == Path(known_sources.__file__).parent / "__pycache__"
    assert beside_the_code().suffix == ".json"


def test_old_texts_go_when_there_are_too_many(tmp_path, monkeypatch, parsed):
    monkeypatch.setattr(known_sources, "_MOST", 1)
    file = saved(saved(tmp_path / "known.json", ONE), OTHER)
    saved(file, OTHER)
    assert parsed == [ONE, OTHER]
    saved(file, ONE)
    assert parsed == [ONE, OTHER, ONE]
