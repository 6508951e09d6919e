"""The commands in the docs run, on the finished run in place of the demo.

`snakemake` gets `--dry-run`; `tests/workflow` has whole runs enough. The tutorial's commands run as
they stand (`test_tutorial.py`).
"""

import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from cactus.errors import CactusError
from tests.unit.docs.shell_blocks import Block, blocks, pages
from tests.workflow.project import ROOT, Project

pytestmark = [pytest.mark.workflow, pytest.mark.slow]
TUTORIAL = ROOT / "docs/tutorial.md"
BLOCKS = {
    page.relative_to(ROOT).as_posix(): found
    for page in pages()
    if page != TUTORIAL and (found := [block for block in blocks(page) if not block.mark])
}
# A study of the user's own, and the runs of the examples.
STUDY = "run: my-study\nsynthetic_data: true\ngrid: {datasets: [mnist], embeddings: [acai]}\n"
RUNS = {"demo": "small", "my-study": "second", "longer": "second", "before": "second"}
CODES = {kind.__name__: kind.exit_code for kind in CactusError.__subclasses__()}


@pytest.fixture(scope="module")
def prepared(shared: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two finished runs, the docs, and a study of the user's own."""
    project = shared.copy(tmp_path_factory.mktemp("prepared") / "project")
    shutil.copytree(ROOT / "docs", project.folder / "docs")
    (project.folder / "config/my-study.yaml").write_text(STUDY)
    return project


@pytest.fixture(scope="module")
def copied(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return prepared.copy(tmp_path_factory.mktemp("copied") / "project")


@pytest.fixture
def place(prepared: Project, copied: Project) -> Iterator[Project]:
    """A copy of all this, which is restored after each page."""
    yield copied
    copied.restore(prepared)


def adapted(command: str) -> str:
    """Return a command for the runs that are here, in place of those of the docs."""
    command = re.sub(r"  +#.*|\s# .*", "", command)
    command = command.replace("config/demo.yaml tests/workflow/small.yaml", "config/demo.yaml")
    command = command.replace("config/demo.yaml", "config/demo.yaml config/small.yaml")
    if not command.startswith("snakemake"):
        command = re.sub(r"(?<=results/)demo\b", "small", command)
        command = re.sub(
            rf"(?<![\w/.=-])({'|'.join(RUNS)})(?![\w/=-]|\.yaml)",
            lambda match: RUNS[match[1]],
            command,
        )
    command = re.sub(r"\bresults/demo\b", "results/small", command)
    return re.sub(r"^(time )?snakemake", r"snakemake --dry-run --quiet all", command)


def expected_code(block: Block) -> int:
    """Return the exit code of a block's last command: that of the error that it shows."""
    error = re.search(r"^(\w+Error): ", block.output, re.M)
    return CODES[error[1]] if error else 0


@pytest.mark.parametrize("page", BLOCKS)
def test_the_commands_of_a_page_run(page: str, place: Project):
    for block in BLOCKS[page]:
        for command in block.commands:
            if command.startswith("source "):
                continue
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", adapted(command)],
                cwd=place.folder,
                env=place.variables(warm=True),
                capture_output=True,
                text=True,
                check=False,
            )
            last = command == block.commands[-1]
            wanted = {expected_code(block) if last else 0}
            wanted |= {1} if re.search(r"cactus (diff|why|status)\b", command) else set()
            wanted |= {141} if "| head" in command else set()  # it closes the pipe
            where = f"{block.page}:{block.line}: {adapted(command)}"
            assert done.returncode in wanted, f"{where}\n{done.stdout}{done.stderr}"


def test_commands_are_adapted_to_the_runs_that_are_here():
    assert adapted("cactus digest demo     # to results/digests/demo/") == "cactus digest small"
    assert adapted("cactus compare demo my-study --out both") == (
        "cactus compare small second --out both"
    )
    assert adapted("cactus replay demo.crate.zip omniglot/acai/maml/s0").startswith(
        "cactus replay small.crate.zip"
    )
    assert adapted("cactus plan --configfile config/my-study.yaml") == (
        "cactus plan --configfile config/my-study.yaml"
    )
    assert adapted("snakemake -c2 --configfile config/demo.yaml -- data") == (
        "snakemake --dry-run --quiet all -c2 "
        "--configfile config/demo.yaml config/small.yaml -- data"
    )
