from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cactus.config.load import read_yaml
from cactus.config.sections.grid import Cell, CellPattern, Grid, GridSettings, idle_patterns
from cactus.config.sections.source import Source
from cactus.errors import ConfigError

ROOT = Path(__file__).parents[3]
PAPER = ("acai", "bigan", "deepcluster", "infogan")


def test_the_default_grid_has_32_cells():
    grid = Grid.from_settings(GridSettings(baselines=True))
    assert len(grid.cells) == 32
    assert len(grid.embedding_runs) == len(grid.baseline_runs) == 16


def shipped(name: str) -> Grid:
    return Grid.from_settings(GridSettings(**read_yaml(ROOT / f"config/{name}.yaml")["grid"]))


def test_the_papers_grid_has_the_30_trained_cells_of_the_paper():
    grid = shipped("config")
    sources = Counter(cell.source for cell in grid.trained_cells)
    assert sum(sources.pop(name) for name in PAPER) == 15
    assert sources.pop("labels") == 7
    assert sources.total() == 8
    assert len(grid.cells) == 30 + 4
    assert {run[:2] for run in grid.baseline_runs} == {
        *(("mnist", name) for name in ("acai", "bigan", "infogan")),
        *(("omniglot", name) for name in ("acai", "bigan")),
        *product(("miniimagenet", "celeba"), ("bigan", "deepcluster")),
    }


def test_the_readme_counts_the_cells_of_its_studies():
    text = (ROOT / "README.md").read_text()
    assert f"{len(shipped('demo').cells)} cells on synthetic data" in text
    assert f"the paper's {len(shipped('config').cells)} cells" in text


def test_the_full_grid_has_the_papers_cells_and_more():
    full = shipped("full")
    assert set(shipped("config").cells) < set(full.cells)
    controls = read_yaml(ROOT / "config/full.yaml")["grid"]["controls"]
    assert len(full.cells) == 2 * (4 * 4 + sum(map(len, controls.values()))) + 4
    assert len(full.embedding_runs) == len(full.baseline_runs) == 16


def test_values_for_one_data_set_replace_those_for_all():
    own = {"embeddings": ["bigan"], "seeds": [1, 2], "scratch": True, "baselines": True}
    settings = GridSettings(
        datasets=["mnist", "omniglot"],
        embeddings=["acai"],
        learners=["protonets"],
        per_dataset={"omniglot": own},
    )
    grid = Grid.from_settings(settings)
    assert [cell.name for cell in grid.cells] == [
        "mnist/acai/protonets/s0",
        "omniglot/bigan/protonets/s1",
        "omniglot/bigan/protonets/s2",
        "omniglot/scratch/maml/s1",
        "omniglot/scratch/maml/s2",
    ]
    assert grid.baseline_runs == (("omniglot", "bigan", 1), ("omniglot", "bigan", 2))


def test_ablations_are_trained_with_their_learners_alone():
    controls = ["labels", "random", "pixels"]
    settings = GridSettings(
        datasets=["mnist"],
        embeddings=["acai"],
        controls={"mnist": controls},
        ablation_learners=["maml"],
    )
    cells = {(cell.source, cell.learner) for cell in Grid.from_settings(settings).cells}
    both = set(product(["acai", "labels"], ["maml", "protonets"]))
    assert cells == both | {("random", "maml"), ("pixels", "maml")}
    # A study of ProtoNets alone has no MAML, not even for ablations.
    alone = settings.model_copy(update={"learners": ["protonets"]})
    assert {cell.source for cell in Grid.from_settings(alone).cells} == {"acai", "labels"}


def test_patterns_that_match_no_cell_are_named():
    exclude = [{"source": "acai"}, {"source": "labels", "seed": 1}]
    settings = GridSettings(include=[{"dataset": "mnist"}, {"seed": 7}], exclude=exclude)
    assert list(idle_patterns(settings)) == [
        "grid.include.1 (seed: 7) matches no cell of the grid",
        "grid.exclude.1 (source: labels, seed: 1) matches no cell of the grid",
    ]


def test_an_embedding_that_only_a_control_needs_is_trained():
    settings = GridSettings(
        datasets=["omniglot"], embeddings=["bigan"], controls={"omniglot": ["acai+p-1"]}
    )
    assert Grid.from_settings(settings).embedding_runs == (
        ("omniglot", "bigan", 0),
        ("omniglot", "acai", 0),
    )


@given(
    st.lists(st.sampled_from(PAPER), unique=True, min_size=1),
    st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=4),
)
def test_axes_multiply(embeddings, seeds):
    settings = GridSettings(embeddings=embeddings, seeds=seeds)
    assert len(Grid.from_settings(settings).cells) == 4 * len(embeddings) * 2 * len(seeds)


def test_include_keeps_and_exclude_drops():
    settings = GridSettings(
        include=[CellPattern(dataset="mnist"), CellPattern(source="acai")],
        exclude=[CellPattern(learner="maml", dataset="mnist")],
    )
    cells = Grid.from_settings(settings).cells
    assert all(c.dataset == "mnist" or c.source == "acai" for c in cells)
    assert not any(c.dataset == "mnist" and c.learner == "maml" for c in cells)
    assert any(c.dataset == "celeba" and c.learner == "maml" for c in cells)


def test_a_grid_without_cells_is_refused():
    with pytest.raises(ConfigError, match="no cells left"):
        Grid.from_settings(GridSettings(exclude=[CellPattern()]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seeds": []}, "`seeds` is empty"),
        ({"ablation_learners": []}, "`ablation_learners` is empty"),
        ({"per_dataset": {"mnist": {"controls": {}}}}, "`controls` names data sets itself"),
        ({"embeddings": ["acai", "acai"]}, "repeats a value"),
        ({"controls": {"mnist": ["labels", "labels"]}}, "`controls.mnist` repeats a value"),
        ({"exclude": [{"seed": 1}, {"seed": 1}]}, "`exclude` repeats a value"),
        ({"seeds": [-1]}, "greater than or equal to 0"),
        ({"seeds": [2**63]}, "less than 9223372036854775808"),
    ],
)
def test_invalid_axes_are_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        GridSettings(**values)


@pytest.mark.parametrize(
    ("name", "kind", "embedding"),
    [
        ("acai", "kmeans", "acai"),
        ("hyperplanes-my_net2", "hyperplanes", "my_net2"),
        ("labels", "labels", None),
        ("scratch", "scratch", None),
    ],
)
def test_sources_are_read_from_their_names(name, kind, embedding):
    assert Source.parse(name) == Source(name, kind, embedding)


@pytest.mark.parametrize(
    ("name", "base", "variant", "way", "without_way"),
    [
        ("acai", "acai", None, None, "acai"),
        ("acai+k-50", "acai", "k-50", None, "acai+k-50"),
        ("hyperplanes-acai+margin-1.2", "hyperplanes-acai", "margin-1.2", None, ...),
        ("random+5-way", "random", None, 5, "random"),
        ("pixels+p-1+20-way", "pixels", "p-1", 20, "pixels+p-1"),
    ],
)
def test_variants_and_ways_are_read_from_names(name, base, variant, way, without_way):
    source = Source.parse(name)
    assert (source.base, source.variant, source.way) == (base, variant, way)
    assert (source.kind, source.embedding) == (
        Source.parse(base).kind,
        Source.parse(base).embedding,
    )
    assert source.without_way == (name if without_way is ... else without_way)


@pytest.mark.parametrize(
    "name",
    ["", "Acai", "twice-acai", "../acai", "single acai", "acai+", "+p-1", "acai+P-1", "acai+p--1",
     "acai+p-1+k-50", "acai+5-way+p-1", "acai+5-way+2-way", "acai+1-way", "acai+0-way", "acai+../x",
     "acai+99999-way", "hyperplanes-", "hyperplanes-labels-x", "labels+p-1", "scratch+5-way"],
)  # fmt: skip
def test_a_source_of_unknown_form_is_refused(name):
    with pytest.raises(ConfigError, match="not valid"):
        Source.parse(name)


def test_a_cell_is_named_as_its_path():
    assert Cell("omniglot", "acai", "maml", 3).name == "omniglot/acai/maml/s3"
