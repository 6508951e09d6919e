"""Which figures a run has, and what they read."""

from typing import Any

import pytest

from cactus.config.load import parse_config
from cactus.config.sections.outputs import OutputSettings
from cactus.errors import ConfigError
from cactus.stages.base import stage_named

STAGE = stage_named("make_figure")
EVERY = [
    "accuracy_grid", "paper_comparison", "shots", "differences", "training_curves", "tasks",
    "partitions", "purity", "embedding_maps", "neighbors", "confusion", "episodes", "diagnostics",
]  # fmt: skip


def figures(values: dict[str, Any]) -> set[str]:
    config = parse_config({"outputs": {"figures": EVERY}, **values})
    return {one.figure for one in STAGE.all_wildcards(config)}


def test_a_run_of_the_paper_has_all_figures_but_those_of_classes_on_celeba():
    grid = {"controls": {"celeba": ["acai+p-1"]}}
    found = figures({"grid": grid})
    without = {"purity-celeba", "embedding_maps-celeba", "confusion-celeba"}
    names = EVERY[3:]
    split = {f"{name}-{dataset}" for name in names
             for dataset in ("mnist", "omniglot", "miniimagenet", "celeba")}  # fmt: skip
    assert found == {*EVERY[:3], *split} - without


def test_figures_without_data_are_left_out():
    grid = {"datasets": ["celeba"], "embeddings": ["acai"], "learners": ["maml"]}
    found = figures({"grid": grid})
    assert found == {"accuracy_grid", "paper_comparison", "training_curves-celeba", "tasks-celeba",
                     "neighbors-celeba", "episodes-celeba", "diagnostics-celeba"}  # fmt: skip
    include = {"include": [{"source": "labels"}], "controls": {"celeba": ["labels"]}}
    oracle = figures({"grid": {**grid, **include}})
    assert oracle == {"accuracy_grid", "paper_comparison", "training_curves-celeba",
                      "episodes-celeba"}  # fmt: skip


def test_one_cell_of_ones_own_data_has_what_it_can_show():
    custom = {"birds": {"title": "Birds", "image_size": 32, "channels": 3}}
    grid = {"datasets": ["birds"], "embeddings": ["acai"], "learners": ["protonets"]}
    found = figures({"grid": grid, "data": {"custom": custom}})
    assert "paper_comparison" not in found
    assert {"purity-birds", "embedding_maps-birds", "neighbors-birds"} <= found
    assert not {"shots", "differences-birds", "partitions-birds"} & found


def test_competitors_and_variants_add_figures():
    grid = {"datasets": ["omniglot"], "embeddings": ["acai"], "learners": ["maml"]}
    assert "differences-omniglot" not in figures({"grid": grid})
    for more in ({"scratch": True}, {"baselines": True}, {"learners": ["maml", "protonets"]}):
        assert "differences-omniglot" in figures({"grid": {**grid, **more}})
    base = {"controls": {"omniglot": ["acai+p-1"]}}
    assert "differences-omniglot" in figures({"grid": {**grid, **base}})
    assert "partitions-omniglot" not in figures({"grid": grid})
    for more in ({"controls": {"omniglot": ["acai+p-1"]}}, {"embeddings": ["acai", "bigan"]}):
        assert "partitions-omniglot" in figures({"grid": {**grid, **more}})


@pytest.mark.parametrize(
    ("source", "more", "shown"),
    [
        ("hyperplanes-acai", {}, True),
        ("acai+5-way", {}, True),
        ("pixels", {}, False),
        ("pixels", {"scratch": True}, True),
        ("labels", {"scratch": True, "exclude": [{"source": "acai"}]}, False),
        ("acai+p-1", {"exclude": [{"source": "acai"}]}, False),
        ("acai+p-1", {"exclude": [{"source": "acai"}], "scratch": True}, True),
        ("acai+p-1", {"exclude": [{"source": "acai"}], "baselines": True}, False),
    ],
)
def test_differences_are_shown_if_a_cell_has_a_competitor(
    source: str, more: dict[str, Any], shown: bool
):
    grid = {"datasets": ["omniglot"], "embeddings": ["acai"], "learners": ["maml"],
            "controls": {"omniglot": [source]}, **more}  # fmt: skip
    assert ("differences-omniglot" in figures({"grid": grid})) == shown


def test_a_base_of_another_learner_is_no_competitor():
    grid = {"datasets": ["omniglot"], "embeddings": ["acai"], "learners": ["maml", "protonets"],
            "controls": {"omniglot": ["acai+p-1"]}, "ablation_learners": ["maml"]}  # fmt: skip
    for learner, shown in (("maml", False), ("protonets", True)):
        without = {"exclude": [{"source": "acai", "learner": learner}]}
        assert ("differences-omniglot" in figures({"grid": {**grid, **without}})) == shown


def test_a_figure_of_tasks_knows_which_meta_learners_change_the_images():
    maml = {"augmentation": {"rotation": 15.0}}
    config = parse_config({"learners": {"maml": maml}})
    spec = STAGE.spec(config, STAGE.wildcards("tasks-omniglot"))
    assert spec.augmented == ["maml"]
    assert STAGE.spec(config, STAGE.wildcards("purity-omniglot")).augmented == []


def test_maps_read_the_embedding_and_the_partitions_of_one_seed():
    grid = {"datasets": ["omniglot"], "embeddings": ["acai"], "seeds": [3, 1]}
    config = parse_config({"grid": grid})
    read = {
        one.job.name for one in STAGE.inputs(config, STAGE.wildcards("embedding_maps-omniglot"))
    }
    assert read == {"aggregate_results", "prepare_data/omniglot",
                    "train_embedding/omniglot/acai/s1",
                    "make_partitions/omniglot/acai/maml/s1"}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "learners", "shown"),
    [
        ("acai", ["maml"], True),
        ("hyperplanes-acai", ["maml"], True),
        ("acai+p-1", ["maml"], True),
        ("acai+5-way", ["maml"], False),
        ("pixels", ["maml"], False),
        ("labels", ["maml"], False),
    ],
)
def test_confusion_is_shown_of_a_cell_on_an_embedding(
    source: str, learners: list[str], shown: bool
):
    grid = {"datasets": ["omniglot"], "embeddings": ["acai"], "learners": learners,
            "controls": {"omniglot": [source] if source != "acai" else []},
            "exclude": [{"source": "acai"}] if source != "acai" else []}  # fmt: skip
    assert ("confusion-omniglot" in figures({"grid": grid})) == shown


def test_confusion_reads_the_split_and_the_cells_of_the_first_seed():
    grid = {"datasets": ["omniglot"], "embeddings": ["acai"], "seeds": [3, 1], "scratch": True,
            "controls": {"omniglot": ["acai+p-1", "acai+5-way", "labels", "pixels"]},
            "ablation_learners": ["maml"]}  # fmt: skip
    config = parse_config({"grid": grid, "evaluation": {"split": "val"}})
    inputs = list(STAGE.inputs(config, STAGE.wildcards("confusion-omniglot")))
    assert {
        one.job.name: {name.rpartition("/")[2] for name in one.files} for one in inputs[1:]
    } == {
        "prepare_data/omniglot": {"manifest.json", "val_images.npy", "val_labels.npy"},
        "evaluate_model/omniglot/acai/maml/s1": {"confusion.csv"},
        "evaluate_model/omniglot/acai/protonets/s1": {"confusion.csv"},
        "evaluate_model/omniglot/acai+p-1/maml/s1": {"confusion.csv"},
    }


def test_a_page_is_no_narrower_than_a_column():
    assert OutputSettings(column_width=139.7, page_width=139.7).page_width == 139.7
    with pytest.raises(ConfigError) as caught:
        parse_config({"outputs": {"page_width": 84.0}})
    assert "page_width" in caught.value.where
