"""Reads the numbers of a LaTeX table, and those that are macros, from their sources."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cactus.files import read_text

_NUMBER: Final = re.compile(r"^[+-]?\d+(\.\d+)?( ± \d+(\.\d+)?( \*)?)?$|^[a-z]+( [a-z]+)*$")
_MACRO: Final = re.compile(r"^\\cactusnumber\{[a-z]+\}\{[^{}]+\}\{([^{}]*)\}$", re.M)
_BODY: Final = re.compile(r"\\midrule(.*?)(?:\\bottomrule|\Z)", re.S)
_EMPTY: Final = "{}"
_STAR: Final = r" {\rlap{$^{*}$}}"
_MARK: Final = re.compile(r" \{\\rlap\{\$\^\{\\mathrm\{[a-z]\}\}\$\}\}$")
_WORDS: Final = re.compile(r"\{[^{}]+\}")  # in a column of numbers: a mark for why there is none


def numbers_in_table(path: Path) -> Iterator[list[str]]:
    r"""Yield what the cells of each row of the tables' bodies print; empty where a mark is instead.

    Cells that show nothing at all are left out. This is independent of the code that writes
    tables. It drops labels and marks: ``\bfseries 68.84 \pm 0.80`` gives ``68.84 ± 0.80``. A star
    of significance stays.

    Raises
    ------
    OSError, ValueError
        The file cannot be read.
    """
    for body in _BODY.findall(read_text(path)):
        for line in body.splitlines():
            if " & " in line:
                cells = line.rstrip().removesuffix(r"\\").split(" & ")
                yield [_printed(cell) for cell in cells[2:] if cell.strip() != _EMPTY]


def numbers_of_macros(path: Path) -> list[str]:
    r"""Return the values of the macros of numbers: ``\cactusnumber{ours}{cell}{68.84 \pm 0.80}``.

    Raises
    ------
    OSError, ValueError
        The file cannot be read.
    """
    return [_printed(value) for value in _MACRO.findall(read_text(path))]


def _printed(cell: str) -> str:
    text = cell.strip()
    if _WORDS.fullmatch(text):
        return ""
    text = _MARK.sub("", text.replace(_STAR, " *")).removeprefix(r"\bfseries ")
    text = text.replace(r" \pm ", " ± ")
    return text if _NUMBER.match(text) else f"unreadable: {text}"
