from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cactus.config.command_line import parse_overrides
from cactus.config.load import load_config, parse_config, read_yaml
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
        # A key that is right elsewhere says more than one that looks like it.
        ({"seeds": [1]}, "seeds", "did you mean `grid.seeds`? On the command line: --config"),
        ({"learners": {"iterations": 5}}, "learners.iterations", "mean `learners.maml.iterations`"),
        ({"data": {"per_dataset": {}}}, "data.per_dataset", "remove it; valid keys here are raw_"),
        ({"learners.maml.way": 5}, "'learners.maml.way'", "`learners: {maml: {way: 5}}`"),
        (
            {"threads": 1},
            "threads",
            "`compute.threads`? On the command line: --config 'compute={threads: 1}'",
        ),
        ({"compute": {"iterations": 1}}, "compute.iterations", "`embeddings.acai.iterations` or"),
        (
            {"learners": {"maml": {"per_dataset": {"mnits": {"way": 3}}}}},
            "learners.maml.per_dataset.mnits",
            "did you mean 'mnist'?",
        ),
        (
            {"learners": {"maml": {"per_dataset": {"mnist": {"per_dataset": {}}}}}},
            "learners.maml.per_dataset.mnist.per_dataset",
            "cannot be nested",
        ),
        (
            {"partitions": {"hyperplanes": {"per_embedding": {"acai": {"margins": 1.0}}}}},
            "partitions.hyperplanes.per_embedding.acai.margins",
            "did you mean 'margin'?",
        ),
        ({"grid": {"controls": {"mnits": []}}}, "grid.controls.mnits", "did you mean 'mnist'?"),
        # The grid leaves out miniImageNet, but its keys have to exist.
        (
            {"grid": {"datasets": ["mnist"]}, "data": {"miniimagenet": {"image_sise": 84}}},
            "data.miniimagenet.image_sise",
            "did you mean 'image_size'?",
        ),
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
        ({"run": "../up"}, "run", "only lowercase letters, digits"),
        ({"learners": {"maml": {"inner_lr": float("nan")}}}, "learners.maml.inner_lr", "finite"),
        ({"grid": {"embeddings": ["simclr"]}}, "grid.embeddings.0", "embeddings.custom"),
        ({"grid": {"embeddings": ["acia"]}}, "grid.embeddings.0", "did you mean 'acai'?"),
        ({"grid": {"exclude": [{"source": "acia"}]}}, "grid.exclude.0.source", "'acai'"),
        (
            {"grid": {"controls": {"mnist": ["hyperplanes-acia"]}}},
            "grid.controls.mnist.0",
            "'hyperplanes-acai'",
        ),
        ({"grid": {"controls": {"mnist": ["labels", "labels"]}}}, "controls.mnist.1", "repeats"),
        ({"grid": {"seeds": [0, 0]}}, "grid.seeds.1", "repeats a value"),
        *(
            ({"grid": {"per_dataset": {"mnist": own}}}, f"grid.per_dataset.mnist{key}", message)
            for own, key, message in (
                ({"embeddings": ["acia"]}, ".embeddings.0", "did you mean 'acai'?"),
                ({"embeddings": 3}, ".embeddings", "list of strings"),
                ({"embeddings": [3]}, ".embeddings.0", "string"),
                ({"learners": []}, ".learners", "is empty"),
                ({"lerners": ["maml"]}, ".lerners", "'learners'"),
                ({"datasets": ["mnist"]}, ".datasets", "move it out of per_dataset"),
            )
        ),
        ({"grid": {"seeds": []}}, "grid.seeds", "is empty"),
        ({"grid": {"seeds": [True]}}, "grid.seeds.0", "integer >= 0"),
        ({"grid": {"seeds": [2**63]}}, "grid.seeds.0", "less than 9223372036854775808"),
        ({"grid": {"seeds": [-1]}}, "grid.seeds.0", "greater than or equal to 0"),
        ({"grid": {"seeds": "0"}}, "grid.seeds", "list of integers"),
        ({"grid": {"datasets": None}}, "grid.datasets", "list of mnist, omniglot"),
        ({"grid": None}, "grid", "with the keys per_dataset, datasets"),
        ({"compute": {"threads": True}}, "compute.threads", "allowed: integer >= 1"),
        ({"compute": {"threads": "4"}}, "compute.threads", "remove the quotes"),
        ({"checkpoints": {"steps": "None"}}, "checkpoints.steps", "write null; allowed: integer"),
        ({"run": 2024}, "run", "put quotes around it"),
        ({"grid": {"seeds": 3}}, "grid.seeds", "write a list, as in `[0, 1]`"),
        ({"grid": {"datasets": "minst"}}, "grid.datasets", "did you mean 'mnist'? write a list"),
        ({"data": {"raw_dir": "~/data"}}, "data.raw_dir", "no shell reads `~`"),
        ({"data": {"raw_dir": "$HOME/data"}}, "data.raw_dir", "no shell reads"),
        ({"data": {"raw_dir": ""}}, "data.raw_dir", "name a folder"),
        ({"outputs": {"dpi": 10**6}}, "outputs.dpi", "<= 2400"),
        ({"compute": {"threads": 2.0}}, "compute.threads", "valid integer"),
        ({"compute": {"device": "gpu0"}}, "compute.device", "allowed: one of auto, cpu, cuda"),
        ({"compute": {"device": "autoo"}}, "compute.device", "did you mean 'auto'?"),
        ({"speed": {"maml": {"tasks_at_once": True}}}, "tasks_at_once", "auto"),
        ({"speed": {"maml": {"tasks_at_once": "autoo"}}}, "tasks_at_once", "did you mean 'auto'?"),
        ({"speed": {"maml": {"cuda_graph": 1}}}, "speed.maml.cuda_graph", "allowed: boolean"),
        ({"learners": {"maml": {"gradient_clip": "1"}}}, "gradient_clip", "float > 0 or null"),
        ({"learners": {"maml": {"outer_lr": True}}}, "learners.maml.outer_lr", "float > 0"),
        (
            {"learners": {"maml": {"per_dataset": {"celeba": {"way": "two"}}}}},
            "learners.maml.per_dataset.celeba.way",
            "allowed: integer >= 1",
        ),
        ({"learners": {"maml": {"per_dataset": {"celeba": 2}}}}, "per_dataset.celeba", "mapping"),
        (
            {"partitions": {"hyperplanes": {"per_embedding": {"acai": {"margin": -1}}}}},
            "partitions.hyperplanes.per_embedding.acai.margin",
            "float >= 0",
        ),
        ({"outputs": {"figures": ["shots", "shots"]}}, "outputs.figures.1", "repeats"),
        ({"compute": {"device": "gpu"}}, "compute.device", "did you mean 'cuda'?"),
        ({"clusters": 9}, "clusters", "did you mean `partitions.clusters` or"),
        ({"run": "a" * 101}, "run", "at most 100"),
        ({"run": 5}, "run", "valid string"),
        ({"embeddings": {"custom": {"b" * 101: {"module": "m"}}}}, "b" * 101, "at most 100"),
        ({"embeddings": {"custom": {"a.b": {"module": "m"}}}}, "custom.'a.b'", "lowercase"),
        ({"embeddings": {"custom": {"mine": {}}}}, "embeddings.custom.mine.module", "required"),
        (
            {"embeddings": {"deepcluster": {"channels": [1, 2, 3, 4, "5"]}}},
            "embeddings.deepcluster.channels.4",
            "integer >= 1",
        ),
        ({"evaluation": {"settings": [{"way": 1}]}}, "evaluation.settings.0.way", ">= 2"),
        ({"evaluation": {"per_dataset": {"mnist": {"tasks": 1}}}}, "mnist.tasks", ">= 2"),
    ],
)
def test_an_invalid_value_is_named(values, where, fix):
    error = refused(values)
    assert error.where.endswith(where)
    assert fix in error.fix
    assert error.got
    assert len(str(error)) < 800
    assert not any(word in str(error) for word in ("constrained", "function-", ".:", "literal["))


def test_a_whole_number_is_a_float_too():
    assert parse_config({"learners": {"maml": {"outer_lr": 1}}}).learners.maml.outer_lr == 1.0


def test_an_error_names_file_and_line(tmp_path):
    (tmp_path / "a.yaml").write_text("run: a\ncompute:\n  threads: 0\n")
    with pytest.raises(ConfigError) as caught:
        load_config([tmp_path / "a.yaml"])
    assert caught.value.where == f"{tmp_path}/a.yaml:3: compute.threads"
    (tmp_path / "a.yaml").write_text("run: a\ngrid:\n  datasets:\n  - mnist\n  - minst\n")
    with pytest.raises(ConfigError) as caught:
        load_config([tmp_path / "a.yaml"])
    assert caught.value.where == f"{tmp_path}/a.yaml:5: grid.datasets.1"
    assert caught.value.got == '"minst"'


@pytest.mark.parametrize(
    ("pair", "got", "fix"),
    [
        ("compute.threads=1", "compute.threads=1", "--config 'compute={threads: 1}'"),
        ("compute", "compute", "write KEY=VALUE"),
        ("=1", "=1", "write KEY=VALUE"),
        ("run=!!int foo", "the tag tag:yaml.org,2002:int", "remove the tag"),
        ("run=[a", "did not find", "correct it"),
    ],
)
def test_an_argument_of_config_that_is_not_valid_is_refused(pair, got, fix):
    with pytest.raises(ConfigError) as caught:
        parse_overrides([pair])
    assert got in caught.value.got
    assert fix in caught.value.fix
    assert "--config" in caught.value.where


def test_arguments_of_config_keep_their_types():
    pairs = ["compute={threads: 4, device: cpu}", "synthetic_data=yes", "run=1e3x", "compute={}"]
    assert parse_overrides(pairs) == {
        "compute": {"threads": 4, "device": "cpu"},
        "synthetic_data": True,
        "run": "1e3x",
    }


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
