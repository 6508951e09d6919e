import pytest
from hypothesis import given
from hypothesis import strategies as st

from cactus.errors import DataError
from cactus.paper import vocabulary as names

SOURCES = ["labels", "acai+p-1", "hyperplanes-bigan", "pixels", "random", "infogan", "simclr",
           "acai", "scratch", "hyperplanes-acai"]  # fmt: skip


def test_sources_are_in_the_order_of_the_tables():
    assert sorted(SOURCES, key=names.source_rank) == [
        "scratch", "acai", "infogan", "simclr", "random", "pixels",
        "hyperplanes-acai", "hyperplanes-bigan", "acai+p-1", "labels",
    ]  # fmt: skip


@given(st.permutations(SOURCES))
def test_the_order_does_not_depend_on_the_start(shuffled: list[str]):
    assert sorted(shuffled, key=names.source_rank) == sorted(SOURCES, key=names.source_rank)


@pytest.mark.parametrize(
    ("source", "learner", "method"),
    [
        ("acai", "maml", "cactus-maml"),
        ("random", "protonets", "cactus-protonets"),
        ("acai+p-1", "maml", "cactus-maml"),
        ("labels", "protonets", "oracle-protonets"),
        ("scratch", "maml", "scratch"),
    ],
)
def test_methods_are_named_by_source_and_learner(source: str, learner: str, method: str):
    assert names.method_name(source, learner) == method
    assert names.is_oracle(method) == (source == "labels")


def test_methods_of_custom_learners_follow_those_of_the_paper():
    methods = ["oracle-mine", "cactus-mine", "oracle-maml", "cactus-protonets", "cactus-a",
               "oracle-protonets", "knn", "cactus-maml", "scratch", "unknown"]  # fmt: skip
    assert sorted(methods, key=names.method_rank) == [
        "scratch", "knn", "cactus-maml", "cactus-protonets", "cactus-a", "cactus-mine",
        "oracle-maml", "oracle-protonets", "oracle-mine", "unknown",
    ]  # fmt: skip


def test_cells_are_parsed():
    assert names.parse_cell("evaluations/mnist/acai+p-1/maml/s12") == {
        "dataset": "mnist", "source": "acai+p-1", "learner": "maml", "seed": "12",
    }  # fmt: skip
    assert names.parse_cell("baselines/mnist/acai/s0")["learner"] == ""


@pytest.mark.parametrize(
    "cell", ["models/mnist/acai/maml/s0", "evaluations/mnist/acai/s0", "baselines/mnist/acai/s"]
)
def test_other_folders_are_not_cells(cell: str):
    with pytest.raises(DataError) as caught:
        names.parse_cell(cell)
    assert caught.value.got == cell
