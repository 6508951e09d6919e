"""Which of the libraries that are slow to load each stage's code loads."""

import subprocess
import sys

import pytest

from cactus.cli.main import FUNCTIONS

SLOW = (
    "torch", "torch._dynamo", "torch.distributed.fsdp", "torchvision", "sympy",
    "sklearn", "scipy", "pandas", "matplotlib", "seaborn", "snakemake", "PIL",
)  # fmt: skip

# A stage's script, which loads little before it knows that there is work to do; what it then loads;
# and the modules that its wildcards select (`modules` of its stage).
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
    "train_embedding": set(),
    "train_embedding cactus.embed.train_and_encode cactus.embed.acai": {"torch", "PIL"},
    "train_embedding cactus.embed.train_and_encode cactus.embed.bigan": {"torch", "PIL"},
    "train_embedding cactus.embed.train_and_encode cactus.embed.contrastive": {"torch", "PIL"},
    "train_embedding cactus.embed.train_and_encode cactus.embed.deepcluster": {"torch", "PIL"},
    "train_embedding cactus.embed.train_and_encode cactus.embed.infogan": {"torch", "PIL"},
    "make_partitions": set(),
    "make_partitions cactus.tasks.kmeans.gpu_points": {"torch"},
    "make_partitions cactus.tasks.kmeans.scikit": {"sklearn", "scipy", "pandas"},
    "measure_partitions": set(),
    "meta_train": set(),
    "meta_train cactus.meta.train_cell cactus.meta.maml.learner": {"torch"},
    "meta_train cactus.meta.train_cell cactus.meta.protonets.learner": {"torch"},
    "meta_train cactus.meta.train_cell cactus.meta.custom": {"torch"},
    "evaluate_model": set(),
    "evaluate_model cactus.evaluate.run_model cactus.meta.maml.learner": {"torch"},
    "run_baselines": set(),
    "run_baselines cactus.evaluate.baselines.scikit_learn_linear": {"sklearn", "scipy", "pandas"},
    "run_baselines cactus.tasks.kmeans.scikit": {"sklearn", "scipy", "pandas"},
    "aggregate_results": {"pandas", "scipy"},  # scipy for the paired t-test
    "make_table cactus.paper.tables.accuracies": {"pandas"},
    "make_table cactus.paper.tables.tests": {"pandas"},
    "make_document": set(),
    "make_figure cactus.paper.figures.shots": {"pandas", "matplotlib", "PIL"},
    "make_figure cactus.paper.figures.tasks": {"matplotlib", "pandas", "PIL"},
    "make_figure cactus.paper.figures.embedding_maps": {
        "matplotlib",
        "pandas",
        "PIL",
        "scipy",
        "sklearn",
    },
    "make_figure cactus.paper.figures.neighbors": {"matplotlib", "pandas", "PIL"},
    "make_figure cactus.paper.figures.partitions": {"matplotlib", "pandas", "PIL"},
    "audit_run": set(),
    "make_report": {"pandas", "PIL"},
    "make_paper": {"pandas", "PIL"},
}

# Commands of `cactus` that load one of these; the others load none. To know whether raw files can
# be read, one needs the readers.
SLOW_COMMANDS = {"diff": {"scipy"}, "compare": {"scipy"}, "data": {"PIL"}, "doctor": {"PIL"}}


@pytest.mark.slow
@pytest.mark.parametrize("modules", STAGES)
def test_slow_libraries_that_a_stage_loads(modules: str) -> None:
    imports = "; ".join(f"import {module}" for module in modules.split())
    assert slow_libraries(imports) == STAGES[modules]


@pytest.mark.parametrize("command", FUNCTIONS)
def test_slow_libraries_that_a_command_loads(command: str) -> None:
    statement = f"cactus.cli.main.command_function({command!r})"
    found = slow_libraries(f"import cactus.cli.main; {statement}")
    assert found == SLOW_COMMANDS.get(command, set())


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_no_command_and_nothing_slow(option: str):
    script = f"""
import contextlib, io, sys, cactus.cli.main
sys.argv = ["cactus", {option!r}]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()) as text:
    cactus.cli.main.main()
assert text.getvalue()
own = {{name for name in sys.modules if name.startswith("cactus.cli.")}}
assert own == {{f"cactus.cli.{{one}}" for one in ("main", "parser", "options", "version")}}
slow = {{"numpy", "pydantic", "yaml", "rich", "snakemake", "psutil"}}
assert not slow & {{*sys.modules}}, slow & {{*sys.modules}}
"""
    assert slow_libraries(script) == set()


def slow_libraries(script: str) -> set[str]:
    """Return which of the slow libraries are loaded after a script."""
    script += f"\nimport sys; print(*[name for name in {SLOW} if name in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": "workflow/scripts"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.split())
