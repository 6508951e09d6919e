"""Edits of the project, each with exactly the jobs that must run again."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

from tests.workflow.grid import EVERYTHING, wave
from tests.workflow.project import CONFIG, Project

TABLES = wave("make_table")
NOTHING: set[str] = set()

Action = Callable[[Project], None]


class Edit(NamedTuple):
    """An edit of the project, with the jobs that must run again."""

    what: str
    apply: Action
    stale: set[str]
    config: tuple[str, ...] = CONFIG


def code(module: str, *, line: str = "EDITED = 1") -> Action:
    """Add a statement to a module of the package, or to a script."""

    def apply(project: Project) -> None:
        path = project.scripts / module
        path.write_text(path.read_text() + f"\n\n{line}\n")

    return apply


def replaced(file: str, old: str, new: str) -> Action:
    """Replace a text, which must exist."""

    def apply(project: Project) -> None:
        path = project.folder / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new))

    return apply


def configured(*pairs: str) -> tuple[str, ...]:
    """Return the configuration with keys overridden on the command line."""
    return (*CONFIG, "--config", *pairs)


def nothing(_: Project) -> None:
    pass


def touch_everything(project: Project) -> None:
    for path in project.folder.rglob("*"):
        if path.is_file():
            path.touch()


def flip_a_byte(file: str) -> Action:
    def apply(project: Project) -> None:
        path = project.folder / file
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    return apply


def rebuild_identically(project: Project) -> None:
    """Train an embedding again; the same seed gives the same bytes."""
    embedding = project.run / "embeddings/omniglot/acai/s0"
    before = {path.name: path.read_bytes() for path in embedding.iterdir()}
    record = project.run / "records/train_embedding/omniglot/acai/s0.json"
    old = record.read_text()
    record.unlink()
    project.snakemake("--cores", "1", "embeddings")
    assert {path.name: path.read_bytes() for path in embedding.iterdir()} == before
    assert record.read_text() != old


def reformat(module: str) -> Action:
    """Format a module for short lines and other quotes."""

    def apply(project: Project) -> None:
        path = project.scripts / module
        before = path.read_text()
        style = ["--line-length", "50", "--config", "format.quote-style = 'single'"]
        subprocess.run([sys.executable, "-m", "ruff", "format", *style, str(path)], check=True)
        assert path.read_text() != before

    return apply


def copied_without_metadata(project: Project) -> None:
    shutil.rmtree(project.folder / ".snakemake")


CODE = [
    ("train_embedding.py", wave("train_embedding")),
    ("meta_train.py", wave("meta_train")),
    ("make_table.py", TABLES),
    ("cactus/embed/acai.py", wave("train_embedding .*/acai/")),
    ("cactus/embed/bigan.py", wave("train_embedding .*/bigan/")),
    ("cactus/embed/bigan_networks.py", wave("train_embedding .*/bigan/")),
    ("cactus/embed/contrastive.py", NOTHING),
    ("cactus/train/views.py", wave("meta_train")),
    ("cactus/train/crops.py", wave("train_embedding", "meta_train")),
    ("cactus/embed/infogan.py", NOTHING),
    ("cactus/embed/deepcluster.py", NOTHING),
    ("cactus/embed/base.py", wave("train_embedding")),
    ("cactus/embed/train_and_encode.py", wave("train_embedding")),
    ("cactus/config/sections/embeddings/base.py", wave("train_embedding")),
    ("cactus/config/sections/embeddings/acai.py", wave("train_embedding .*/acai/")),
    ("cactus/config/sections/embeddings/infogan.py", NOTHING),
    ("cactus/config/sections/embeddings/section.py", NOTHING),
    ("cactus/meta/maml/learner.py", wave("(meta_train|evaluate_model) .*/maml/")),
    ("cactus/meta/maml/inner_loop.py", wave("(meta_train|evaluate_model) .*/maml/")),
    ("cactus/meta/maml/block.py", wave("(meta_train|evaluate_model) .*/maml/")),
    ("cactus/meta/protonets/learner.py", wave("(meta_train|evaluate_model) .*/protonets/")),
    ("cactus/meta/maml/network.py", wave("(meta_train|evaluate_model) .*/maml/")),
    ("cactus/meta/protonets/encoder.py", wave("(meta_train|evaluate_model) .*/protonets/")),
    ("cactus/meta/train.py", wave("meta_train")),
    ("cactus/meta/store.py", wave("meta_train", "evaluate_model")),
    ("cactus/meta/conv4.py", wave("meta_train", "evaluate_model")),
    ("cactus/config/sections/learners/base.py", wave("meta_train", "evaluate_model")),
    ("cactus/config/sections/learners/protonets.py", wave("(meta_train|evaluate_model) .*/protonets/")),
    ("cactus/config/sections/learners/custom.py", NOTHING),
    ("cactus/config/sections/names.py", wave("aggregate_results")),
    ("cactus/config/sections/acceptance.py", wave("make_partitions")),
    ("cactus/custom_code.py", wave("train_embedding")),
    ("cactus/meta/custom.py", NOTHING),
    ("cactus/meta/episodic.py", NOTHING),
    ("cactus/tasks/kmeans_partitions.py", wave("make_partitions")),
    ("cactus/tasks/kmeans/lloyd.py", wave("make_partitions", "run_baselines")),
    ("cactus/tasks/kmeans/gpu_points.py", NOTHING),
    ("cactus/train/optimizers.py", wave("train_embedding", "meta_train")),
    ("cactus/tasks/labels.py", wave("make_partitions", "measure_partitions", "meta_train", "evaluate_model", "run_baselines")),
    ("measure_partitions.py", wave("measure_partitions")),
    ("cactus/evaluate/partition_quality.py", wave("measure_partitions", "aggregate_results")),
    ("cactus/paper/figures/partitions.py", wave("make_figure partitions-")),
    ("cactus/evaluate/run_model.py", wave("evaluate_model")),
    ("cactus/evaluate/confusion.py", wave("evaluate_model")),
    ("cactus/paper/figures/confusion.py", wave("make_figure confusion-")),
    ("cactus/evaluate/baselines/knn.py", wave("run_baselines")),
    ("cactus/evaluate/baselines/newton.py", wave("run_baselines")),
    ("cactus/evaluate/baselines/scikit_learn_linear.py", NOTHING),
    ("cactus/data/readers/mnist.py", wave("prepare_data mnist")),
    ("cactus/data/readers/omniglot.py", wave("prepare_data omniglot")),
    ("cactus/data/readers/celeba.py", NOTHING),
    ("cactus/data/files/fetch.py", wave("prepare_data")),
    ("cactus/synthetic/write.py", wave("make_synthetic_data")),
    ("cactus/synthetic/mnist/write.py", wave("make_synthetic_data mnist")),
    ("cactus/synthetic/omniglot/strokes.py", wave("make_synthetic_data omniglot")),
    ("cactus/synthetic/celeba/faces.py", NOTHING),
    ("cactus/paper/aggregate.py", wave("aggregate_results")),
    ("cactus/paper/latex.py", TABLES),
    ("cactus/paper/style.py", wave("make_figure")),
    ("cactus/paper/figures/shots.py", wave("make_figure shots")),
    ("cactus/paper/figures/tasks.py", wave("make_figure tasks-")),
    ("cactus/paper/figures/paper_comparison.py", NOTHING),
    ("cactus/paper/summary.py", NOTHING),
    ("cactus/provenance/records/record.py", NOTHING),
    ("cactus/cli/main.py", NOTHING),
    ("cactus/graph.py", NOTHING),
    ("cactus/stages/base.py", NOTHING),
    ("cactus/stages/meta_train.py", NOTHING),
    ("cactus/files.py", EVERYTHING),
    ("cactus/errors.py", EVERYTHING),
    ("cactus/train/loop.py", wave("train_embedding", "meta_train")),
    ("cactus/train/checkpoint.py", wave("train_embedding", "meta_train")),
    ("cactus/train/stop.py", wave("train_embedding", "meta_train")),
    ("cactus/config/sections/operation.py", NOTHING),
    ("cactus/cluster/supervise.py", NOTHING),
    ("cactus/seeding.py", wave("make_synthetic_data", "prepare_data")),
]  # fmt: skip
KEYS = [
    ("seeds in another order", ["grid={seeds: [1, 0]}"], NOTHING),
    ("embeddings in another order", ["grid={embeddings: [bigan, acai]}"], wave("make_table omniglot")),
    ("run-less: a key of another data set", ["synthetic={celeba: {variation: 0.1}}"], NOTHING),
    ("when checkpoints are saved", ["checkpoints={seconds: 5, steps: 1}"], NOTHING),
    ("where raw data lie", ["data={raw_dir: /elsewhere}"], NOTHING),
    ("make_synthetic_data", ["synthetic={mnist: {rotation: 3.0}}"], wave("make_synthetic_data mnist")),
    ("prepare_data", ["data={omniglot: {split_seed: 3}}"], wave("prepare_data omniglot")),
    ("train_embedding", ["embeddings={acai: {learning_rate: 0.001}}"], wave("train_embedding .*/acai/")),
    ("an embedding that the grid lacks", ["embeddings={infogan: {generator_rate: 0.1}}"], NOTHING),
    ("make_partitions", ["partitions={scale_high: 2.0}"], wave("make_partitions .*/(acai|bigan)/")),
    ("another kind of partition", ["partitions={random: {count: 3}}"], NOTHING),
    ("meta_train, MAML alone", ["learners={maml: {outer_lr: 0.5}}"], wave("meta_train .*/maml/")),
    ("how MAML's gradients are derived", ["speed={maml: {kernel: autograd}}"], wave("(meta_train|evaluate_model) .*/maml/")),
    ("episodes that MAML trains on together", ["speed={maml: {tasks_at_once: 1}}"], wave("meta_train .*/maml/")),
    ("meta_train, ProtoNets alone", ["learners={protonets: {outer_lr: 0.5}}"], wave("meta_train .*/protonets/")),
    ("MAML's step as a CUDA graph", ["speed={maml: {cuda_graph: true}}"], wave("meta_train .*/maml/")),
    ("mixed precision", ["learners={protonets: {precision: bfloat16}}"], wave("meta_train .*/protonets/")),
    ("evaluate_model, from scratch", ["learners={scratch: {inner_lr: 0.5}}"], wave("evaluate_model .*/scratch/")),
    ("evaluate_model and baselines", ["evaluation={tasks: 11}"], wave("evaluate_model", "run_baselines")),
    ("run_baselines", ["baselines={knn: {neighbors: [2]}}"], wave("run_baselines")),
    ("make_table", ["outputs={decimals: 1}"], TABLES),
    ("make_figure", ["outputs={dpi: 90}"], wave("make_figure")),
    ("one figure", ["outputs={contact_sheet: {tasks: 1}}"], wave("make_figure tasks-")),
    ("a default made explicit", ["learners={maml: {first_order: false}, protonets: {batch_norm_eps: 1.0e-5}}"], NOTHING),
    ("threads", ["compute={threads: 2}"], wave("train_embedding", "make_partitions", "meta_train", "evaluate_model", "run_baselines")),
]  # fmt: skip

EDITS = [
    Edit("nothing", nothing, NOTHING),
    *(Edit(f"code of {module}", code(module), stale) for module, stale in CODE),
    *(Edit(f"key: {what}", nothing, stale, configured(*pairs)) for what, pairs, stale in KEYS),
    Edit("a comment", code("cactus/files.py", line="# Nothing has changed."), NOTHING),
    Edit(
        "a docstring",
        replaced("workflow/scripts/cactus/meta/train.py", '"""Do one outer', '"""Really do one outer'),
        NOTHING,
    ),
    Edit("a reformatted module", reformat("cactus/meta/maml/learner.py"), NOTHING),
    Edit("a touch of everything", touch_everything, NOTHING),
    Edit("results copied into a fresh clone", copied_without_metadata, NOTHING),
    Edit("a raw file by a byte", flip_a_byte("results/small/raw/mnist/t10k-labels-idx1-ubyte.gz"), wave("make_synthetic_data mnist")),
    Edit("a prepared array by a byte", flip_a_byte("results/small/data/mnist/test_images.npy"), wave("prepare_data mnist")),
    Edit("a model by a byte", flip_a_byte("results/small/models/omniglot/acai/maml/s0/model.safetensors"), wave("meta_train omniglot/acai/maml")),
    Edit("an embedding rebuilt with identical bytes", rebuild_identically, {"audit_run", "make_report"}),
    Edit("a library of the figures in the lock", replaced("envs/requirements.lock", "\nseaborn==", "\nseaborn==99."), wave("make_figure accuracy_grid")),
    Edit("a library of the partitions in the lock", replaced("envs/requirements.lock", "\nthreadpoolctl==", "\nthreadpoolctl==99."), wave("make_partitions", "run_baselines")),
    Edit("a library that no job imports", replaced("envs/requirements.lock", "\nmypy==", "\nmypy==99."), NOTHING),
    Edit("a reformatted rule file", replaced("rules/metatrain.smk", "    threads: THREADS", "    # As many as configured.\n    threads:\n        THREADS"), NOTHING),
    Edit("resources", replaced("rules/metatrain.smk", 'mem_mb=memory_of("meta_train")', "mem_mb=16000"), NOTHING),
    Edit("a published number", replaced("config/paper_results.csv", "52.50", "52.51"), wave("aggregate_results")),
    Edit("the registry entry of a data set", replaced("config/datasets.yaml", "  classes: 10\n", "  classes: 11\n"), wave("prepare_data mnist")),
    Edit("the lists of a data set that the grid lacks", replaced("config/splits/miniimagenet.csv", "n01532829", "n01532820"), NOTHING),
    Edit("the order of keys", replaced("config/small.yaml", "evaluation: {tasks: 10}\nbaselines: {methods: [knn, linear]}", "baselines: {methods: [knn, linear]}\nevaluation: {tasks: 10}"), NOTHING),
    Edit("a result that a stage promises from now on", replaced("workflow/scripts/cactus/stages/make_table.py", ".tex.map.json\")", ".tex.map.json\", \"tables/{cell}.txt\")"), TABLES),
    Edit("an input that a stage reads from now on", replaced("workflow/scripts/cactus/stages/make_table.py", "yield inputs_from(\"aggregate_results\", \"\")", "yield inputs_from(\"aggregate_results\", \"\")\n        yield inputs_from(\"prepare_data\", \"mnist\", \"manifest.json\")"), TABLES),
    Edit("a record deleted", lambda project: (project.run / "records/meta_train/omniglot/acai/maml/s0.json").unlink(), wave("meta_train omniglot/acai/maml")),
    Edit("a record edited", replaced("results/small/records/meta_train/omniglot/acai/maml/s0.json", '"seed": 0', '"seed": 1'), wave("meta_train omniglot/acai/maml")),
    Edit("a result deleted", lambda project: (project.run / "embeddings/omniglot/bigan/s0/train.npy").unlink(), wave("train_embedding omniglot/bigan")),
]  # fmt: skip
