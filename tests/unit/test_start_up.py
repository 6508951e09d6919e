"""Which of the libraries that are slow to load each stage's code loads."""

import subprocess
import sys

import pytest

SLOW = (
    "torch", "torch._dynamo", "torch.distributed.fsdp", "torchvision", "sympy",
    "sklearn", "scipy", "pandas", "matplotlib", "seaborn", "snakemake", "PIL",
)  # fmt: skip

# A stage's script, and the modules that its wildcards select (`modules` of its stage).
STAGES = {
    "make_synthetic_data cactus.synthetic.mnist.write": {
        "scipy",
        "sklearn",
        "pandas",
        "PIL",
    },  # pandas for scikit-learn
    "make_synthetic_data cactus.synthetic.omniglot.write": {"PIL"},
    "make_synthetic_data cactus.synthetic.miniimagenet.write": {"PIL", "scipy"},
    "make_synthetic_data cactus.synthetic.celeba.write": {"PIL"},
    "prepare_data cactus.data.readers.mnist": {"PIL"},
    "prepare_data cactus.data.readers.miniimagenet": {"PIL"},
    "train_embedding cactus.embed.acai": {"torch", "PIL"},
    "train_embedding cactus.embed.bigan": {"torch", "PIL"},
    "train_embedding cactus.embed.deepcluster": {"torch", "PIL"},
    "train_embedding cactus.embed.infogan": {"torch", "PIL"},
    "make_partitions": set(),
    "make_partitions cactus.tasks.kmeans.gpu_points": {"torch"},
    "meta_train cactus.meta.maml.learner": {"torch"},
    "meta_train cactus.meta.protonets.learner": {"torch"},
    "evaluate_model cactus.meta.maml.learner": {"torch"},
    "run_baselines": set(),
    "aggregate_results": {"pandas"},
    "make_table": {"pandas"},
    "make_document": set(),
    "make_figure cactus.paper.figures.shots": {"pandas", "matplotlib", "PIL"},
    "make_figure cactus.paper.figures.tasks": {"matplotlib", "pandas", "PIL"},
    "audit_run": set(),
}


@pytest.mark.slow
@pytest.mark.parametrize("modules", STAGES)
def test_slow_libraries_that_a_stage_loads(modules: str) -> None:
    imports = "; ".join(f"import {module}" for module in modules.split())
    script = f"import sys; {imports}; print(*[name for name in {SLOW} if name in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": "workflow/scripts"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(run.stdout.split()) == STAGES[modules]
