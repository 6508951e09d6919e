"""Meta-learners of users in the configuration: names, defaults, and what is refused."""

from typing import Any

import pytest

from cactus.config.load import parse_config
from cactus.config.models import Config
from cactus.config.sections.learners.custom import CustomLearner
from cactus.errors import ConfigError
from cactus.meta.registry import parse
from cactus.stages.evaluate_model import STAGE as EVALUATE
from cactus.stages.evaluate_model import EvaluateModelSpec
from cactus.stages.make_partitions import STAGE as PARTITION
from cactus.stages.meta_train import STAGE as TRAIN
from cactus.stages.meta_train import MetaTrainSpec

ENTRY = {"module": "own/mine.py", "settings": {"filters": 8}}
GRID = {
    "datasets": ["omniglot", "mnist"],
    "embeddings": ["acai"],
    "learners": ["mine"],
    "controls": {"omniglot": ["labels", "random", "pixels"]},
}


def study(entry: dict[str, Any] | None = None, name: str = "mine", **sections: Any) -> Config:
    learners = {"custom": {name: {**ENTRY, **(entry or {})}}}
    return parse_config({"grid": GRID, "learners": learners, **sections})


def refused(**arguments: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        study(**arguments)
    return caught.value


def test_it_takes_part_in_cells_and_oracles_but_in_ablations_only_if_named():
    sources = [cell.source for cell in study().expanded_grid.cells if cell.dataset == "omniglot"]
    assert sources == ["acai", "labels"]
    named = study(grid={**GRID, "ablation_learners": ["mine"]}).expanded_grid
    found = [cell.source for cell in named.cells if cell.dataset == "omniglot"]
    assert found == ["acai", "labels", "random", "pixels"]


def test_training_from_scratch_stays_that_of_maml():
    cells = study(grid={**GRID, "scratch": True}).expanded_grid.cells
    assert {cell.learner for cell in cells if cell.source == "scratch"} == {"maml"}


@pytest.mark.parametrize(
    "name",
    ["maml", "protonets", "scratch", "custom", "", "Mine", "a-b", "a/b", "..", "1a", "x" * 101],
)
def test_names_that_are_taken_or_unfit_for_files_are_refused(name: str):
    error = refused(name=name, grid={})
    assert "learners.custom" in error.where
    assert "cannot name a custom learner" in error.fix


@pytest.mark.parametrize(
    ("grid", "key"),
    [
        ({"learners": ["mien"]}, "grid.learners.0"),
        ({"ablation_learners": ["mien"]}, "grid.ablation_learners.0"),
        ({"include": [{"learner": "mien"}]}, "grid.include.0.learner"),
        ({"per_dataset": {"mnist": {"learners": ["mien"]}}}, "grid.per_dataset.mnist.learners.0"),
    ],
)
def test_an_unknown_learner_is_named_with_the_one_that_was_meant(grid: dict[str, Any], key: str):
    error = refused(grid={**GRID, **grid})
    assert key in error.where
    assert "did you mean 'mine'?" in error.fix
    assert "maml, protonets, mine" in error.fix


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        ({"modul": "x.py"}, "modul"),
        ({"way": 0}, "way"),
        ({"validation": {"evry": 1}}, "evry"),
        ({"per_dataset": {"omniglot": {"shot": "one"}}}, "shot"),
        ({"per_dataset": {"omniglott": {}}}, "omniglott"),
        ({"acceptance": {"fraction": 1}}, "fraction"),
    ],
)
def test_bad_keys_of_an_entry_are_named(entry: dict[str, Any], key: str):
    assert key in refused(entry=entry).where


def test_an_entry_needs_a_module():
    with pytest.raises(ConfigError) as caught:
        parse_config({"grid": GRID, "learners": {"custom": {"mine": {}}}})
    assert "learners.custom.mine.module" in caught.value.where


def test_ways_and_lengths_follow_the_data_set_as_those_of_protonets():
    config = study(grid={})
    for dataset in ("mnist", "omniglot", "miniimagenet", "celeba"):
        mine = config.learners.resolve("mine", dataset)
        other = config.learners.resolve("protonets", dataset)
        assert (mine.way, mine.iterations) == (other.way, other.iterations)
        assert mine.validation == other.validation


def test_a_value_of_the_entry_wins_over_those_for_data_sets():
    config = study({"way": 7, "per_dataset": {"omniglot": {"settings": {"filters": 9}}}})
    assert config.learners.resolve("mine", "mnist").way == 7
    omniglot = config.learners.resolve("mine", "omniglot")
    assert (omniglot.way, omniglot.settings) == (7, {"filters": 9})
    assert config.learners.resolve("mine", "mnist").settings == {"filters": 8}


def test_the_keys_that_are_not_set_have_the_defaults_of_the_model():
    own = study(grid={}).learners.custom["mine"].model_dump(exclude={"per_dataset"})
    assert own == CustomLearner(**ENTRY).model_dump(exclude={"per_dataset"})


def test_synthetic_data_sets_its_ways():
    config = study(synthetic_data=True)
    for dataset in ("mnist", "omniglot"):
        mine = config.learners.resolve("mine", dataset)
        assert mine.way == config.learners.resolve("maml", dataset).way


def test_only_the_oracle_has_its_own_number_of_iterations():
    learners = study({"iterations": 50, "oracle_iterations": 70}).learners
    assert learners.resolve("mine", "omniglot", "labels").iterations == 70
    assert learners.resolve("mine", "omniglot", "acai").iterations == 50


def test_a_fixed_way_limits_the_evaluated_tasks():
    grid = {**GRID, "datasets": ["omniglot"]}
    assert study({"way": 5}, grid=grid)
    error = refused(entry={"way": 5, "fixed_way": True}, grid=grid)
    assert "the head of mine has a column for each of the 5 classes" in error.fix
    five = {"settings": [{"way": 5, "shot": 1}]}
    assert study({"way": 5, "fixed_way": True}, grid=grid, evaluation=five)


def spec(stage: Any, config: Config, source: str = "acai") -> Any:
    return stage.spec(config, stage.parse(f"omniglot/{source}/mine/s0"))


def test_each_job_gets_the_keys_that_it_reads_and_no_others():
    plain, config = study(), study({
        "files": ["a.pt"], "acceptance": {"n_init": 4}, "iterations": 9, "log_every": 3,
    })  # fmt: skip
    assert spec(PARTITION, config).acceptance.n_init == 4
    assert spec(PARTITION, config, "labels") == spec(PARTITION, plain, "labels")
    trained = spec(TRAIN, config).settings
    assert (trained["iterations"], trained["files"]) == (9, [])
    assert trained["acceptance"]["n_init"] == 1
    assert spec(EVALUATE, config) == spec(EVALUATE, plain)
    assert spec(EVALUATE, study({"settings": {"filters": 9}})) != spec(EVALUATE, plain)
    assert spec(EVALUATE, study({"way": 8})) != spec(EVALUATE, plain)


@pytest.mark.parametrize(
    ("stage", "model"), [(TRAIN, MetaTrainSpec), (EVALUATE, EvaluateModelSpec)]
)
def test_a_job_gets_the_settings_back_as_those_of_its_learner(stage: Any, model: Any):
    read = model.parse(spec(stage, study()).text())
    settings, speed = parse("mine", read.settings, read.speed)
    assert isinstance(settings, CustomLearner)
    assert settings.settings == ENTRY["settings"]
    assert speed is None


def test_its_jobs_list_its_module_and_files():
    config = study({"files": ["a.pt"], "per_dataset": {"mnist": {"files": ["b.pt"]}}})
    for stage in (TRAIN, EVALUATE):
        for dataset, files in (("omniglot", ["a.pt"]), ("mnist", ["b.pt"])):
            wildcards = stage.parse(f"{dataset}/acai/mine/s0")
            assert stage.modules(config, wildcards)[0] == "own/mine.py"
            assert stage.declared_files(config, wildcards) == files
        assert stage.declared_files(config, stage.parse("mnist/acai/maml/s0")) == []
