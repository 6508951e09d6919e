from pathlib import Path

from cactus.config.load import load_config, parse_config
from cactus.config.printed.titles import UNTITLED
from cactus.config.printed.words import key_words
from cactus.manuscript.changes import changed
from cactus.paper.tables.departures import shown, title_of

GRID = {"datasets": ["mnist", "omniglot"], "embeddings": ["acai"], "learners": ["maml"]}


def of(**keys: object) -> dict[tuple[str, str], tuple[str, str]]:
    config = parse_config({"grid": GRID, **keys})
    return {
        (part, row.point): (row.original, row.here)
        for part, rows in changed(config, config.titles())
        for row in rows
    }


def test_the_defaults_change_nothing():
    assert of() == {}


def test_values_that_differ_have_the_names_of_their_data_sets():
    found = of(
        embeddings={"acai": {"learning_rate": 0.00002, "per_dataset": {"omniglot": {"depth": 8}}}},
        learners={"maml": {"iterations": 1000}},
    )
    assert found["ACAI", "Learning rate"] == ("0.0001", "0.00002")
    assert found["ACAI", "Filters of the first convolution"] == ("Omniglot: 16", "Omniglot: 8")
    assert found["MAML", "Iterations"] == ("30,000", "1,000")


def test_one_default_and_several_values():
    maml = {"per_dataset": {"mnist": {"iterations": 5}, "omniglot": {"iterations": 6}}}
    found = of(learners={"maml": maml})
    assert found["MAML", "Iterations"] == ("30,000", "MNIST: 5; Omniglot: 6")


def test_every_change_of_every_data_set_is_there():
    demo = load_config([Path(__file__).parents[3] / "config/demo.yaml"])
    parts = changed(demo, UNTITLED)
    rows = {(part.lower(), row.point.lower()): row for part, ones in parts for row in ones}
    assert "kNN" in dict(parts)
    for dataset in demo.expanded_grid.datasets:
        for name, key, here, default in demo.schedule(dataset):
            row = rows[title_of(name, UNTITLED).lower(), key_words(key).lower()]
            assert shown(here) in row.here
            assert shown(default) in row.original
