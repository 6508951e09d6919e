"""Every block of shell commands in the docs is run by a test, or says why not."""

import re

import pytest

from tests.unit.docs.shell_blocks import Block, blocks, pages, wrong_mark
from tests.workflow.project import ROOT

ALL = [block for page in pages() for block in blocks(page)]
TEXT = """\
```yaml
run: a
```

<!-- needs: a cluster -->
```console
$ cactus profile    # the cluster's own
$ cactus run
```

```console
$ snakemake --config 'grid={seeds: [0],
      scratch: false}' \\
    --cores 2
job  took
$ cactus audit
```
"""


def test_marks_are_known():
    assert [wrong for block in ALL if (wrong := wrong_mark(block))] == []


def test_commands_that_no_test_could_run_are_marked():
    """What needs more than this computer would fail, or take hours, without its mark."""
    needing = re.compile(r"--profile|cactus (run|profile)\b|\bmake\b|squeue|apt |pipx|\bpdflatex\b")
    unmarked = [
        f"{block.page}:{block.line}"
        for block in ALL
        if not block.mark and any(map(needing.search, block.commands))
    ]
    assert unmarked == []


def test_blocks_are_read_with_marks_and_continued_lines():
    first, second = blocks(ROOT / "README.md", TEXT)
    assert (first.mark, first.value, first.commands) == (
        "needs", "a cluster", ("cactus profile    # the cluster's own", "cactus run"),
    )  # fmt: skip
    assert second.mark == ""
    assert [command.split()[0] for command in second.commands] == ["snakemake", "cactus"]
    assert "--cores 2" in second.commands[0]
    assert second.output == "job  took"


@pytest.mark.parametrize(
    ("mark", "value"),
    [("needs", "luck"), ("tested by", "tests/unit/test_gone.py"), ("runs", "never")],
)
def test_wrong_marks_are_found(mark: str, value: str):
    block = Block("README.md", 1, mark, value, ("true",), "")
    assert str(wrong_mark(block)).startswith("README.md:1: ")
