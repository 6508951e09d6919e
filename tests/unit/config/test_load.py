from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cactus.config.load import parse_config, read_yaml
from cactus.config.models import Config
from cactus.config.sections.base import DatasetSettings, Settings, merge
from cactus.errors import ConfigError


def refused(values):
    with pytest.raises(ConfigError) as caught:
        parse_config(values)
    return caught.value


def test_no_values_give_the_defaults():
    assert parse_config({}) == Config()


@pytest.mark.parametrize(
    ("values", "where", "fix"),
    [
        ({"gird": {}}, "gird", "did you mean 'grid'?"),
        ({"grid": {"dataset": []}}, "grid.dataset", "did you mean 'datasets'?"),
        (
            {"learners": {"maml": {"per_dataset": {"mnist": {"wya": 3}}}}},
            "learners.maml.per_dataset.mnist.wya",
            "did you mean 'way'?",
        ),
        ({"grid": {"exclude": [{"sorce": "acai"}]}}, "grid.exclude.0.sorce", "'source'"),
        ({"compute": {"qqqq": 1}}, "compute.qqqq", "valid keys here are device"),
    ],
)
def test_an_unknown_key_is_refused_with_a_suggestion(values, where, fix):
    error = refused(values)
    assert error.where.endswith(where)
    assert fix in error.fix


@pytest.mark.parametrize(
    ("values", "where", "fix"),
    [
        ({"grid": {"datasets": ["omniglott"]}}, "grid.datasets.0", "did you mean 'omniglot'?"),
        ({"compute": {"threads": 0}}, "compute.threads", "greater than or equal to 1"),
        ({"compute": {"threads": "many"}}, "compute.threads", "integer"),
        ({"run": "../up"}, "run", "match pattern"),
        ({"learners": {"maml": {"inner_lr": float("nan")}}}, "learners.maml.inner_lr", "finite"),
        ({"grid": {"embeddings": ["simclr"]}}, "", "embeddings.custom"),
    ],
)
def test_an_invalid_value_is_named(values, where, fix):
    error = refused(values)
    assert error.where.endswith(where)
    assert fix in error.fix


def test_an_invalid_override_is_named():
    error = refused({"learners": {"maml": {"per_dataset": {"celeba": {"way": "two"}}}}})
    assert "per_dataset.celeba.way" in error.fix
    assert "'two'" in error.fix


def test_later_files_override_earlier_ones_key_by_key(tmp_path):
    (tmp_path / "a.yaml").write_text("run: a\ncompute: {device: cpu, threads: 1}\n")
    (tmp_path / "b.yaml").write_text("compute: {threads: 3}\n")
    config = parse_config(merge(read_yaml(tmp_path / "a.yaml"), read_yaml(tmp_path / "b.yaml")))
    assert (config.run, config.compute.device, config.compute.threads) == ("a", "cpu", 3)


def test_an_override_of_one_dataset_keeps_the_others_defaults():
    config = parse_config({"learners": {"maml": {"per_dataset": {"mnist": {"iterations": 7}}}}})
    assert config.learners.resolve("maml", "mnist").iterations == 7
    for dataset in ("omniglot", "miniimagenet", "celeba"):
        assert config.learners.resolve("maml", dataset) == Config().learners.resolve(
            "maml", dataset
        )
    assert config.learners.resolve("maml", "mnist").way == 10


@pytest.mark.parametrize(
    "text", ["run: a\nrun: b\n", "- a\n", "run: [", "compute: !!python/object:os.system {}\n"]
)
def test_a_file_that_is_not_a_plain_mapping_is_refused(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_yaml(tmp_path / "a.yaml")
    assert "a.yaml" in caught.value.where


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(Path("no/such.yaml"))


class Inner(Settings):
    depth: int = 1
    width: int = 2


class Section(DatasetSettings):
    rate: float = 0.1
    inner: Inner = Inner()


def test_overrides_reach_nested_keys():
    section = Section(per_dataset={"celeba": {"inner": {"depth": 5}}})
    assert section.resolve("celeba").inner == Inner(depth=5, width=2)
    assert section.resolve("mnist").inner == Inner()
    assert section.resolve("celeba").per_dataset == {}


nested = st.recursive(
    st.integers(),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
mappings = st.dictionaries(st.sampled_from("abc"), nested, max_size=3)


@given(mappings, mappings)
def test_merging_keeps_what_only_one_side_has(base, override):
    merged = merge(base, override)
    assert set(merged) == set(base) | set(override)
    assert merge(merged, override) == merged
    assert all(merged[key] == base[key] for key in set(base) - set(override))


def test_an_old_key_is_refused_with_its_new_name():
    with pytest.raises(ConfigError, match="renamed") as caught:
        parse_config({"sample_data": True})
    assert caught.value.fix == "use its new name, `synthetic_data`"


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"learners": {"maml": {"kernel": "manual"}}}, "speed.maml.kernel"),
        (
            {"learners": {"maml": {"per_dataset": {"mnist": {"tasks_at_once": 1}}}}},
            "speed.maml.per_dataset.mnist.tasks_at_once",
        ),
        (
            {"baselines": {"per_dataset": {"mnist": {"knn": {"neighbours": [1]}}}}},
            "baselines.per_dataset.mnist.knn.neighbors",
        ),
    ],
)
def test_a_moved_key_is_refused_with_its_place_today(values, name):
    with pytest.raises(ConfigError, match="renamed") as caught:
        parse_config(values)
    assert caught.value.fix == f"use its new name, `{name}`"
