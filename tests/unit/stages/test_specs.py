"""A job's spec changes with the keys that its stage reads, and with no others."""

from typing import Any

import pytest

from cactus.config.load import parse_config
from cactus.stages.base import CellWildcards, stage_named, stage_names

CELL = {"dataset": "omniglot", "source": "acai", "learner": "maml", "seed": "0"}
EMBEDDING = {"dataset": "omniglot", "embedding": "acai", "seed": "0"}
JOBS: dict[str, dict[str, str]] = {
    "make_synthetic_data": {"dataset": "omniglot"},
    "prepare_data": {"dataset": "omniglot"},
    "train_embedding": EMBEDDING,
    "make_partitions": CELL,
    "measure_partitions": CELL,
    "meta_train": CELL,
    "evaluate_model": CELL,
    "run_baselines": EMBEDDING,
    "aggregate_results": {},
    "make_table": {"table": "omniglot-verdicts"},
    "make_document": {},
    "audit_run": {},
    "make_report": {},
    "make_paper": {},
    "make_figure": {"figure": "shots"},
}


def specs(**values: Any) -> dict[str, str]:
    config = parse_config(values)
    found = {}
    for name, wildcards in JOBS.items():
        stage = stage_named(name)
        found[name] = stage.spec(config, stage.parse(stage.job(**wildcards).cell)).text()
    return found


def test_the_table_names_every_stage():
    assert set(JOBS) == set(stage_names())


@pytest.mark.parametrize(
    ("values", "changed"),
    [
        (
            {"run": "other"},
            {"aggregate_results", "audit_run", "make_paper", "make_report", "make_table"},
        ),
        ({"data": {"raw_dir": "/elsewhere", "download": False}}, set()),
        ({"checkpoints": {"seconds": None, "steps": 5}}, set()),
        ({"gpus": {"jobs_per_gpu": 4}}, set()),
        ({"reuse": False}, set()),
        ({"data": {"mnist": {"val_size": 500}}}, set()),
        ({"synthetic": {"celeba": {"kinds": 3}}}, set()),
        ({"embeddings": {"bigan": {"width": 8}}}, {"make_table"}),
        ({"learners": {"protonets": {"outer_lr": 0.1}}}, {"make_table"}),
        ({"learners": {"scratch": {"steps": 3}}}, set()),
        ({"synthetic": {"omniglot": {"drawers": 3}}}, {"make_synthetic_data"}),
        ({"data": {"omniglot": {"split_seed": 3}}}, {"prepare_data", "make_table"}),
        ({"embeddings": {"acai": {"iterations": 7}}}, {"train_embedding", "make_table"}),
        ({"embeddings": {"acai": {"precision": "bfloat16"}}}, {"train_embedding", "make_table"}),
        ({"learners": {"protonets": {"precision": "bfloat16"}}}, {"make_table"}),
        ({"partitions": {"clusters": 70}}, {"make_partitions", "make_table"}),
        ({"learners": {"maml": {"query": 7}}}, {"make_partitions", "meta_train", "make_table"}),
        ({"learners": {"maml": {"iterations": 7}}}, {"meta_train", "make_table"}),
        ({"speed": {"maml": {"cuda_graph": True}}}, {"meta_train"}),
        ({"speed": {"maml": {"kernel": "autograd"}}}, {"meta_train", "evaluate_model"}),
        ({"speed": {"protonets": {"images_at_once": 7}}}, set()),
        (
            {"learners": {"maml": {"evaluation_steps": 7}}},
            {"meta_train", "evaluate_model", "make_table"},
        ),
        ({"partitions": {"random": {"count": 7}}}, set()),
        ({"partitions": {"pool_attributes": 2}}, set()),
        ({"partitions": {"variants": {"k-12": {"clusters": 12}, "p-2": {"count": 2}}}}, set()),
        ({"partitions": {"kmeans": "scikit-learn"}}, {"make_partitions", "make_table"}),
        ({"evaluation": {"tasks": 7}}, {"evaluate_model", "run_baselines"}),
        (
            {"evaluation": {"split": "val"}},
            {"evaluate_model", "run_baselines", "aggregate_results"},
        ),
        ({"baselines": {"mlp": {"epochs": 7}}}, {"run_baselines"}),
        ({"grid": {"seeds": [0, 1]}}, {"aggregate_results"}),
        ({"outputs": {"decimals": 1}}, {"make_paper", "make_report", "make_table"}),
        ({"outputs": {"dpi": 70}}, {"make_figure"}),
        ({"outputs": {"curve_points": 7}}, set()),
        ({"grid": {"datasets": ["omniglot"]}}, {"aggregate_results", "make_document"}),
        (
            {"compute": {"threads": 1}},
            {"train_embedding", "make_partitions", "meta_train", "evaluate_model", "run_baselines"},
        ),
    ],
)
def test_a_key_changes_the_specs_of_the_stages_that_read_it(
    values: dict[str, Any], changed: set[str]
):
    before, after = specs(), specs(**values)
    assert {stage for stage in JOBS if before[stage] != after[stage]} == changed


def test_a_variant_changes_only_the_partitions_of_its_sources():
    sources = ["acai+few", "acai+p-1", "hyperplanes-acai", "hyperplanes-acai+margin-0"]
    stage = stage_named("make_partitions")

    def made(**variants: dict[str, Any]) -> list[Any]:
        partitions = {"variants": {"few": {"clusters": 12}, **variants}}
        grid = {"datasets": ["mnist"], "controls": {"mnist": sources}}
        config = parse_config({"grid": grid, "partitions": partitions})
        cells = [CellWildcards("mnist", source, "maml", 0) for source in ["acai", *sources]]
        return [stage.spec(config, cell) for cell in cells]

    before, after = made(), made(few={"clusters": 11}, idle={"count": 3})
    pairs = list(zip(before, after, strict=True))
    assert [one == other for one, other in pairs] == [True, False, True, True, True]
    assert [one.settings.clusters for one in before[:3]] == [10, 12, 10]
    assert [one.settings.count for one in before[:3]] == [100, 100, 1]
    assert [one.settings.hyperplanes.margin for one in before[3:]] == [0.6, 0.0]
    assert not any(one.settings.variants for one in before)


def test_the_figure_of_partitions_tells_apart_what_differs_in_more_than_p_or_k():
    variants = {"k-40": {"clusters": 40}, "few": {"clusters": 40, "kmeans": "scikit-learn"},
                "starts": {"maml": {"n_init": 3}}}  # fmt: skip
    controls = ["acai+p-1", "acai+k-40", "acai+few", "acai+starts", "acai+5-way", "bigan+k-40"]
    grid = {"datasets": ["omniglot"], "controls": {"omniglot": controls}, "embeddings": ["bigan"]}
    config = parse_config({"grid": grid, "partitions": {"variants": variants}})
    stage = stage_named("make_figure")
    numbers = stage.spec(config, stage.wildcards("partitions-omniglot")).partitions
    usual = {"bigan": (100, 500, 0), "acai+p-1": (1, 500, 0), "acai+k-40": (100, 40, 0)}
    assert numbers.items() >= {**usual, "bigan+k-40": (100, 40, 0)}.items()
    others = [numbers[f"acai+{name}"] for name in ("few", "starts", "5-way")]
    assert [one[:2] for one in others] == [(100, 40), (100, 500), (100, 500)]
    assert len({one[2] for one in others} | {0}) == 4


WAY = "random+5-way"


def test_a_way_sets_training_and_evaluation():
    config = parse_config({"grid": {"datasets": ["omniglot"], "controls": {"omniglot": [WAY]}}})
    cells = [CellWildcards("omniglot", source, "maml", 0) for source in ("random", WAY)]
    plain, own = ([stage_named(name).spec(config, cell) for cell in cells]
                  for name in ("meta_train", "evaluate_model"))  # fmt: skip
    assert [one.settings["way"] for one in (*plain, *own)] == [20, 5, 20, 5]
    assert [[(one.way, one.shot) for one in spec.evaluation.settings] for spec in own] == [
        [(5, 1), (5, 5), (20, 1), (20, 5)],
        [(5, 1), (5, 5)],
    ]
    assert [stage_named("make_partitions").spec(config, cell).way for cell in cells] == [20, 5]
