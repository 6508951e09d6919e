"""What the command line accepts, and what it says of a word that it does not know."""

import pytest

from cactus.cli.parser import GROUPS, read_arguments

CELL = "mnist/acai/maml/s0"
FIRST = {"why": [CELL], "accept": [CELL], "show": [CELL], "logs": [CELL], "results": ["*"]}
MORE = {"accept": ["--reason", "none"]}
# Commands of no run that is named, of several, or of a file.
OTHERS = {*GROUPS["set up"], "init", "config", "run", "diff", "compare", "trace", "replay"}
NAMES = [name for names in GROUPS.values() for name in names if name not in OTHERS]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_named_by_its_place_or_by_an_option(name):
    first, more = FIRST.get(name, []), MORE.get(name, [])
    calls = [
        [*first, "a"],
        [*first, "--run", "a"],
        ["--run", "a", *first],
        ["--run=a", *first, "a"],
    ]
    assert {read_arguments([name, *call, *more]).run for call in calls} == {"a"}
    assert read_arguments([name, *first, *more]).run is None


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["plan", "a", "--run", "b"], "two runs are named, a and b: name one"),
        (["diff", "a", "b", "--run", "a"], "`cactus diff demo omniglot`"),
        (["run", "a"], "`cactus run -- --configfile config/demo.yaml`"),
        (["trace", "a.tex", "--row", "a", "--col", "b", "--run", "a"], "in whose folder"),
    ],
)
def test_a_word_too_many_is_refused_with_the_usage_of_its_command(words, advice, capsys):
    with pytest.raises(SystemExit, match="2"):
        read_arguments(words)
    error = capsys.readouterr().err
    assert f"usage: cactus {words[0]} " in error
    assert advice in " ".join(error.split())
