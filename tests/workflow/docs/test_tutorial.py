"""The commands of docs/tutorial.md run in their order and print what the page shows.

Numbers aside: trainings are those of `tests/workflow/small.yaml`, most of which the finished run
has.
"""

import re
import subprocess

import pytest

from tests.unit.docs.shell_blocks import blocks
from tests.workflow.project import ROOT, Project

pytestmark = [pytest.mark.workflow, pytest.mark.slow]
PAGE = ROOT / "docs/tutorial.md"
BLOCKS = [*blocks(PAGE)]


def shortened(command: str) -> str:
    command = command.replace("config/demo.yaml", "config/demo.yaml config/small.yaml")
    return command.replace("iterations: 400", "iterations: 4")


def lines(text: str) -> set[str]:
    """Return lines without the numbers, of which the page has others."""
    bare = (re.sub(r"[\d.+-]+", "", line) for line in text.splitlines())
    return {" ".join(line.split()) for line in bare}


def test_the_commands_of_the_tutorial_print_what_it_shows(project: Project):
    (study,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    # One figure is enough.
    (project.folder / "first.yaml").write_text(f"{study}outputs: {{figures: [shots]}}\n")
    commands = [
        (block, command) for block in BLOCKS if not block.mark for command in block.commands
    ]
    assert len(commands) > 8
    printed: dict[int, str] = {}
    for block, command in commands:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", shortened(command)],
            cwd=project.folder,
            env=project.variables(warm=True),
            capture_output=True,
            text=True,
            check=False,
        )
        wanted = 1 if command.startswith("cactus diff") else 0
        output = done.stdout + done.stderr
        assert done.returncode == wanted, f"{command}\n{output}"
        printed[block.line] = printed.get(block.line, "") + output
    for block in BLOCKS:
        if not block.mark:
            # Lines with counts or times may be others here.
            plain = [
                line for line in block.output.splitlines() if not re.search(r"\d|\.\.\.", line)
            ]
            missing = lines("\n".join(plain)) - lines(printed[block.line])
            assert missing == set(), f"line {block.line}: {printed[block.line]}"
    (digest,) = (project.folder / "results/digests").iterdir()
    assert (digest / "README.md").is_file()
