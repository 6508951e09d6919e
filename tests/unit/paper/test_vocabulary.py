import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cactus.config.sections.source import is_variant_name
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


def test_titles():
    assert names.source_title("hyperplanes-deepcluster") == "Hyperplanes (DeepCluster)"
    assert names.source_title("simclr") == "simclr"
    assert names.source_title("labels") == "True labels"
    assert names.method_title("cluster_matching") == "Cluster matching"
    assert names.setting_title(20, 5) == "20-way 5-shot"


def test_methods_of_custom_learners_follow_those_of_the_paper():
    methods = ["oracle-mine", "cactus-mine", "oracle-maml", "cactus-protonets", "cactus-a",
               "oracle-protonets", "knn", "cactus-maml", "scratch", "unknown"]  # fmt: skip
    assert sorted(methods, key=names.method_rank) == [
        "scratch", "knn", "cactus-maml", "cactus-protonets", "cactus-a", "cactus-mine",
        "oracle-maml", "oracle-protonets", "oracle-mine", "unknown",
    ]  # fmt: skip
    assert names.method_title("cactus-my_own") == "CACTUs-my_own"
    assert names.method_title("oracle-my_own") == "Oracle-my_own"


@given(st.sets(st.from_regex(r"[a-z0-9]{1,2}([._-][a-z0-9]{1,2}){0,2}", fullmatch=True)))
@example({"a-b", "a_b", "a.b"})
def test_variants_of_different_names_have_different_titles(variants: set[str]):
    known = {f"acai+{name}" for name in variants if is_variant_name(name)}
    assert len(set(map(names.source_title, known))) == len(known)


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
