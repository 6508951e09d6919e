"""The blocks of shell commands in the docs, and the marks of those that tests do not run.

A block runs in `tests/workflow/docs` unless a comment before it says why not: `<!-- needs: ... -->`
what this computer need not have, or `<!-- tested by: FILE -->` which test does the same.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.workflow.project import ROOT

NEEDS = ("a cluster", "a GPU", "real data", "long time", "the internet", "LaTeX", "root", "set-up",
         "a stale cell", "a damaged run", "a notebook server", "a site's own PyTorch")  # fmt: skip
_BLOCK = re.compile(
    r"(?:^ *<!-- (?P<mark>[a-z ]+): (?P<value>[^>]+) -->\n)?"
    r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^ *```$",
    re.M | re.S,
)


class Block(NamedTuple):
    """A block of shell commands; `mark` and `value` are empty if nothing keeps it from running."""

    page: str
    line: int
    mark: str
    value: str
    commands: tuple[str, ...]
    output: str


def pages() -> list[Path]:
    """Return the pages with commands for users; digests of runs are generated."""
    docs = [path for path in (ROOT / "docs").rglob("*.md") if path.name != "README.md"]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(docs)]


def blocks(page: Path, text: str | None = None) -> Iterator[Block]:
    """Yield the blocks of a page that have commands, after `$` or, for root, `#`."""
    text = page.read_text(encoding="utf-8") if text is None else text
    for match in _BLOCK.finditer(text):
        if match["kind"] not in ("", "console", "sh", "bash", "shell"):
            continue
        lines = [line.removeprefix(match["indent"]) for line in match["text"].splitlines()]
        commands, output = _split(lines)
        if commands:
            yield Block(
                page.relative_to(ROOT).as_posix(),
                text[: match.start("kind")].count("\n") + 1,
                match["mark"] or "",
                (match["value"] or "").strip(),
                tuple(commands),
                "\n".join(output),
            )


def _split(lines: list[str]) -> tuple[list[str], list[str]]:
    """Return commands, with the lines that continue them, and what they print."""
    commands: list[str] = []
    output: list[str] = []
    open_quote = False
    for line in lines:
        if open_quote:
            commands[-1] += f"\n{line}"
        elif line.startswith(("$ ", "# ")):
            commands.append(line[2:])
        else:
            output.append(line)
            continue
        command = commands[-1].partition(" # ")[0]
        open_quote = command.endswith("\\") or command.count("'") % 2 == 1
    return commands, output


def wrong_mark(block: Block) -> str | None:
    """Return what is wrong with the mark of a block; None if nothing is."""
    where = f"{block.page}:{block.line}"
    if block.mark == "needs":
        known = block.value.startswith(NEEDS)
        return None if known else f"{where}: unknown need {block.value!r}"
    if block.mark == "tested by":
        path = ROOT / block.value.partition("::")[0]
        return None if path.exists() else f"{where}: no test {block.value}"
    return f"{where}: unknown mark {block.mark!r}" if block.mark else None
