"""A job's spec changes with the keys that its stage reads, and with no others."""

from typing import Any

import pytest

from cactus.config.load import parse_config
from cactus.stages.base import stage_named, stage_names

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
    "make_table": {"table": "omniglot"},
    "make_document": {},
    "audit_run": {},
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
        ({"run": "other"}, {"aggregate_results", "audit_run", "make_table"}),
        ({"data": {"raw_dir": "/elsewhere", "download": False}}, set()),
        ({"checkpoints": {"seconds": None, "steps": 5}}, set()),
        ({"gpus": {"jobs_per_gpu": 4}}, set()),
        ({"data": {"mnist": {"val_size": 500}}}, set()),
        ({"synthetic": {"celeba": {"kinds": 3}}}, set()),
        ({"embeddings": {"bigan": {"width": 8}}}, set()),
        ({"learners": {"protonets": {"outer_lr": 0.1}}}, set()),
        ({"learners": {"scratch": {"steps": 3}}}, set()),
        ({"synthetic": {"omniglot": {"drawers": 3}}}, {"make_synthetic_data"}),
        ({"data": {"omniglot": {"split_seed": 3}}}, {"prepare_data"}),
        ({"embeddings": {"acai": {"iterations": 7}}}, {"train_embedding"}),
        ({"embeddings": {"acai": {"precision": "bfloat16"}}}, {"train_embedding"}),
        ({"learners": {"protonets": {"precision": "bfloat16"}}}, set()),
        ({"partitions": {"clusters": 70}}, {"make_partitions"}),
        ({"learners": {"maml": {"query": 7}}}, {"make_partitions", "meta_train"}),
        ({"learners": {"maml": {"iterations": 7}}}, {"meta_train"}),
        ({"speed": {"maml": {"cuda_graph": True}}}, {"meta_train"}),
        ({"speed": {"maml": {"kernel": "autograd"}}}, {"meta_train", "evaluate_model"}),
        ({"speed": {"protonets": {"images_at_once": 7}}}, set()),
        ({"learners": {"maml": {"evaluation_steps": 7}}}, {"meta_train", "evaluate_model"}),
        ({"partitions": {"random": {"count": 7}}}, set()),
        ({"partitions": {"pool_attributes": 2}}, set()),
        ({"evaluation": {"tasks": 7}}, {"evaluate_model", "run_baselines"}),
        ({"baselines": {"mlp": {"epochs": 7}}}, {"run_baselines"}),
        ({"grid": {"seeds": [0, 1]}}, {"aggregate_results"}),
        ({"outputs": {"decimals": 1}}, {"make_table"}),
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
