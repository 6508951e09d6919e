"""Which of the libraries that are slow to load each stage's code loads."""

import json
import subprocess
import sys
from collections.abc import Iterable

import pytest

from cactus.cli.main import FUNCTIONS

SLOW = (
    "torch", "torch._dynamo", "torch.distributed.fsdp", "torchvision", "sympy",
    "sklearn", "scipy", "pandas", "matplotlib", "seaborn", "snakemake", "PIL",
)  # fmt: skip

# Stages' scripts, which load little before they know that there is work to do, and the modules that
# their wildcards select (`modules` of a stage), by what they then load. Those that load the same
# share a process.
STAGES: dict[str, set[str]] = {
    """train_embedding make_partitions measure_partitions meta_train evaluate_model run_baselines
    make_document audit_run""": set(),
    """make_synthetic_data cactus.synthetic.omniglot.write cactus.synthetic.celeba.write
    prepare_data cactus.data.readers.mnist cactus.data.readers.miniimagenet""": {"PIL"},
    "make_synthetic_data cactus.synthetic.miniimagenet.write": {"PIL", "scipy"},
    # pandas for scikit-learn
    "make_synthetic_data cactus.synthetic.mnist.write": {"scipy", "sklearn", "pandas", "PIL"},
    """train_embedding cactus.embed.train_and_encode cactus.embed.acai cactus.embed.bigan
    cactus.embed.contrastive cactus.embed.deepcluster cactus.embed.infogan""": {"torch", "PIL"},
    """make_partitions cactus.tasks.kmeans.gpu_points
    meta_train cactus.meta.train_cell cactus.meta.maml.learner cactus.meta.protonets.learner
    cactus.meta.custom evaluate_model cactus.evaluate.run_model""": {"torch"},
    """make_partitions run_baselines cactus.tasks.kmeans.scikit
    cactus.evaluate.baselines.scikit_learn_linear""": {"sklearn", "scipy", "pandas"},
    "aggregate_results": {"pandas", "scipy"},  # scipy for the paired t-test
    "make_table cactus.paper.tables.accuracies cactus.paper.tables.tests": {"pandas"},
    """make_figure cactus.paper.figures.shots cactus.paper.figures.tasks
    cactus.paper.figures.neighbors cactus.paper.figures.partitions
    cactus.paper.figures.confusion""":
        {"matplotlib", "pandas", "PIL"},
    "make_figure cactus.paper.figures.embedding_maps":
        {"matplotlib", "pandas", "PIL", "scipy", "sklearn"},
    "make_report make_paper": {"pandas", "PIL"},
}  # fmt: skip

# Commands of `cactus` that load one of these; the others load none. To know whether raw files can
# be read, one needs the readers.
SLOW_COMMANDS = {"diff": {"scipy"}, "compare": {"scipy"}, "data": {"PIL"}, "doctor": {"PIL"}}


# Commands that read arrays, or name what does.
NUMPY_COMMANDS = {"compare", "data", "diff", "doctor", "trace"}


@pytest.mark.slow
@pytest.mark.parametrize("modules", STAGES)
def test_slow_libraries_that_stages_load(modules: str) -> None:
    loaded = slow_libraries(f"import {one}" for one in modules.split())
    assert set().union(*loaded.values()) == STAGES[modules], loaded


@pytest.mark.parametrize(
    "commands", [FUNCTIONS.keys() - SLOW_COMMANDS, *({one} for one in SLOW_COMMANDS)]
)
def test_slow_libraries_that_commands_load(commands: set[str]) -> None:
    call = "import cactus.cli.main; cactus.cli.main.command_function({!r})"
    loaded = slow_libraries(call.format(one) for one in sorted(commands))
    expected = set().union(*(SLOW_COMMANDS.get(one, set()) for one in commands))
    assert set().union(*loaded.values()) == expected, loaded


def test_the_other_commands_load_no_numpy():
    script = f"""
import sys, cactus.cli.main
for command in {sorted(FUNCTIONS.keys() - NUMPY_COMMANDS)}:
    cactus.cli.main.command_function(command)
    assert "numpy" not in sys.modules, command
"""
    assert slow_libraries([script]) == {script: set()}


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
    assert slow_libraries([script]) == {script: set()}


def slow_libraries(scripts: Iterable[str]) -> dict[str, set[str]]:
    """Run scripts in one process; return which of the slow libraries each was the first to load."""
    program = f"""
import json, sys
loaded, seen = {{}}, set()
for script in {[*scripts]}:
    exec(script, {{}})
    loaded[script] = [name for name in {SLOW} if name in sys.modules and name not in seen]
    seen |= set(loaded[script])
print(json.dumps(loaded))
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": "workflow/scripts"},
        capture_output=True,
        text=True,
        check=True,
    )
    return {script: set(names) for script, names in json.loads(run.stdout).items()}
