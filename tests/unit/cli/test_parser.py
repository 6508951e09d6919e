"""What the command line accepts, and what it says of a word that it does not know."""

from pathlib import Path

import pytest

from cactus.cli.options import NO_JSON
from cactus.cli.parser import GROUPS, read_arguments
from cactus.cli.place import go_to_project

CELL = "mnist/acai/maml/s0"
FIRST = {"why": [CELL], "accept": [CELL], "show": [CELL], "logs": [CELL], "results": ["*"]}
MORE = {"accept": ["--reason", "none"]}
# Commands of no run that is named, of several, or of a file.
OTHERS = {*GROUPS["set up"], "init", "config", "run", "diff", "compare", "trace", "replay"}
NAMES = [name for names in GROUPS.values() for name in names if name not in OTHERS]


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a folder without runs."""
    monkeypatch.chdir(tmp_path)


def run_of(words: list[str]) -> str | None:
    arguments = read_arguments(words)
    go_to_project(arguments)
    run: str | None = arguments.run
    return run


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_named_by_its_place_or_by_an_option(name):
    first, more = FIRST.get(name, []), MORE.get(name, [])
    calls = [
        [*first, "a"],
        [*first, "--run", "a"],
        ["--run", "a", *first],
        ["--run=a", *first, "a"],
    ]
    assert {run_of([name, *call, *more]) for call in calls} == {"a"}
    assert run_of([name, *first, *more]) is None


NEEDED = {**FIRST, "diff": ["a", "b"], "compare": ["a", "--out", "b"], "replay": ["a", CELL]}
NEEDED |= {"trace": ["a", "--row", "b", "--col", "c"], "accept": [CELL, "--reason", "none"]}


WITH_JSON = [name for names in GROUPS.values() for name in names if name not in NO_JSON]


@pytest.mark.parametrize("name", WITH_JSON)
def test_json_is_asked_for_before_the_command_or_after_it(name):
    rest = NEEDED.get(name, [])
    assert read_arguments(["--json", name, *rest]).json is True
    assert read_arguments([name, *rest, "--json"]).json is True
    assert read_arguments([name, *rest]).json is False


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["plan", "a", "--run", "b"], "two runs are named, a and b: name one"),
        (["diff", "a", "b", "--run", "a"], "`cactus diff demo omniglot`"),
        (["status", "--jbos"], "unrecognized arguments: --jbos did you mean '--jobs'?"),
        (["--json", "completion", "zsh"], "unrecognized arguments: --json"),
        (["run", "a"], "`cactus run -- --configfile config/demo.yaml`"),
        (["trace", "a.tex", "--row", "a", "--col", "b", "--run", "a"], "in whose folder"),
    ],
)
def test_a_word_too_many_is_refused_with_the_usage_of_its_command(words, advice, capsys):
    with pytest.raises(SystemExit, match="2"):
        run_of(words)
    error = capsys.readouterr().err
    assert f"usage: cactus {next(one for one in words if one[0] != '-')} " in error
    assert advice in " ".join(error.split())


@pytest.mark.parametrize("words", [["--run", "a", "status"], ["--json", "--jobs", "status"]])
def test_an_option_before_its_command_is_told_where_it_goes(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        read_arguments(words)
    option = next(one for one in words if one not in ("--json", "a"))
    assert f"{option} goes after the command: `cactus COMMAND {option}`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "advice"), [("stauts", "did you mean 'status'?"), ("zzz", "the commands are doctor,")]
)
def test_a_misspelled_command_gets_the_most_similar_one(word, advice, capsys):
    with pytest.raises(SystemExit, match="2"):
        read_arguments([word, "--jobs"])
    assert f"no command '{word}': {advice}" in capsys.readouterr().err


def test_the_folder_of_the_catalogs_snakefile_is_no_project(tmp_path, monkeypatch):
    (tmp_path / "workflow/scripts").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "workflow"):
        (folder / "Snakefile").touch()
    for folder in (tmp_path / "workflow/scripts", tmp_path / "workflow"):
        monkeypatch.chdir(folder)
        run_of(["status", "a"])
        assert Path.cwd() == tmp_path
