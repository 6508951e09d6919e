"""The graph of the small grid, written out by hand: what each job reads."""

import re

MADE_FROM = {
    "make_synthetic_data mnist": [],
    "make_synthetic_data omniglot": [],
    "prepare_data mnist": ["make_synthetic_data mnist"],
    "prepare_data omniglot": ["make_synthetic_data omniglot"],
    "train_embedding mnist/acai/s0": ["prepare_data mnist"],
    "train_embedding mnist/acai/s1": ["prepare_data mnist"],
    "train_embedding omniglot/acai/s0": ["prepare_data omniglot"],
    "train_embedding omniglot/bigan/s0": ["prepare_data omniglot"],
    "make_partitions mnist/acai/protonets/s0": ["train_embedding mnist/acai/s0"],
    "make_partitions mnist/acai/protonets/s1": ["train_embedding mnist/acai/s1"],
    "make_partitions omniglot/acai/maml/s0": ["train_embedding omniglot/acai/s0"],
    "make_partitions omniglot/acai/protonets/s0": ["train_embedding omniglot/acai/s0"],
    "make_partitions omniglot/bigan/protonets/s0": ["train_embedding omniglot/bigan/s0"],
    "make_partitions omniglot/labels/protonets/s0": ["prepare_data omniglot"],
    "run_baselines mnist/acai/s0": ["train_embedding mnist/acai/s0"],
    "run_baselines mnist/acai/s1": ["train_embedding mnist/acai/s1"],
    "run_baselines omniglot/acai/s0": ["train_embedding omniglot/acai/s0"],
    "run_baselines omniglot/bigan/s0": ["train_embedding omniglot/bigan/s0"],
    "evaluate_model omniglot/scratch/maml/s0": ["prepare_data omniglot"],
    "make_figure accuracy_grid": ["aggregate_results"],
    "make_figure shots": ["aggregate_results"],
    "make_figure training_curves-mnist": ["aggregate_results"],
    "make_figure training_curves-omniglot": ["aggregate_results"],
    "make_figure tasks-mnist": ["aggregate_results"],
    "make_figure tasks-omniglot": ["aggregate_results"],
    "make_figure partitions-omniglot": ["aggregate_results"],
    "make_figure confusion-mnist": ["aggregate_results"],
    "make_figure confusion-omniglot": ["aggregate_results"],
}
TRAINED = [
    "mnist/acai/protonets/s0",
    "mnist/acai/protonets/s1",
    "omniglot/acai/maml/s0",
    "omniglot/acai/protonets/s0",
    "omniglot/bigan/protonets/s0",
    "omniglot/labels/protonets/s0",
]
TABLES = [
    f"make_table {dataset}{kind}"
    for dataset in ("mnist", "omniglot")
    for kind in ("", "-verdicts", "-tests")
]
TABLES.append("make_table partition_quality")
for table in TABLES:
    MADE_FROM[table] = ["aggregate_results"]
MADE_FROM["make_document"] = TABLES
for cell in TRAINED:
    MADE_FROM[f"meta_train {cell}"] = [f"make_partitions {cell}"]
    MADE_FROM[f"measure_partitions {cell}"] = [f"make_partitions {cell}"]
    MADE_FROM[f"evaluate_model {cell}"] = [f"meta_train {cell}"]
MADE_FROM["aggregate_results"] = [
    job for job in MADE_FROM if job.startswith(("evaluate_model", "run_baselines", "measure"))
]
MADE_FROM["audit_run"] = [
    job for job in MADE_FROM if job.startswith(("make_table", "make_figure", "make_document"))
]
MADE_FROM["make_report"] = ["audit_run"]


def wave(*patterns: str) -> set[str]:
    """Return the jobs that match a pattern, and all downstream jobs."""
    found = {job for job in MADE_FROM for pattern in patterns if re.match(pattern, job)}
    while more := {job for job, sources in MADE_FROM.items() if found & {*sources}} - found:
        found |= more
    return found


EVERYTHING = set(MADE_FROM)
