"""Reads the numbers of a LaTeX table from its source."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cactus.files import read_text

_NUMBER: Final = re.compile(r"^[+-]?\d+(\.\d+)?( ± \d+(\.\d+)?( \*)?)?$|^[a-z]+( [a-z]+)*$")
_EMPTY: Final = r"\multicolumn{1}{c}{}"
_STAR: Final = r"\rlap{$^{*}$}"
_INVISIBLE: Final = re.compile(r"\\(?:phantom|rlap)\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}")


def numbers_in_table(path: Path) -> Iterator[list[str]]:
    r"""Yield what the cells of each row of the table's body print; empty where a mark is instead.

    Cells that show nothing at all are left out. This is independent of the code that writes
    tables. It drops labels and marks: ``\textbf{68.84}\,$\pm$\,0.80`` gives ``68.84 ± 0.80``. A
    star of significance stays.

    Raises
    ------
    OSError, ValueError
        The file cannot be read.
    """
    text = read_text(path)
    body = text.partition(r"\midrule")[2].partition(r"\bottomrule")[0]
    for line in body.splitlines():
        if " & " in line:
            cells = line.rstrip().removesuffix(r"\\").split(" & ")
            yield [_printed(cell) for cell in cells[2:] if cell.strip() != _EMPTY]


def _printed(cell: str) -> str:
    text = _INVISIBLE.sub("", cell.replace(_STAR, " *")).replace(r"\,$\pm$\,", " ± ")
    text = re.sub(r"^\$([+-])\$", r"\1", text)
    text = re.sub(r"\\textbf\{([^{}]*)\}", r"\1", text).strip()
    if r"\multicolumn" in text:
        return ""
    return text if _NUMBER.match(text) else f"unreadable: {text}"
