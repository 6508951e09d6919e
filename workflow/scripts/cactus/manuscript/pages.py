"""How the figures of a paper are put into floats: those of one kind stay together."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

from cactus.errors import DataError
from cactus.files import read_bytes
from cactus.report.figures import Figure

# Points: two figures of this width stand side by side, as templates/paper.tex.jinja sets the page.
_NARROW: Final = 248.0
_BOX: Final = re.compile(rb"/MediaBox \[ ?0 0 ([0-9.]+) ([0-9.]+) ?\]")


class Shown(NamedTuple):
    """A figure in a float.

    Attributes
    ----------
    name, title, caption
        See `cactus.report.figures.Figure`.
    like
        The name of the first figure with the same caption; empty if it is this one.
    narrow
        Whether it takes half of the width.
    """

    name: str
    title: str
    caption: str
    like: str
    narrow: bool


class Kind(NamedTuple):
    """The figures of one kind: its title, and the names of its first and last figure."""

    title: str
    first: str
    last: str


def arranged(figures: Sequence[Figure], folder: Path) -> list[Figure]:
    """Return the figures with the narrow ones of each kind first, so that these share floats."""
    groups = (group for _, group in groupby(figures, _kind))
    return [
        one
        for group in groups
        for one in sorted(group, key=lambda one: not _is_narrow(one, folder))
    ]


def floats(figures: Sequence[Figure], folder: Path) -> list[list[Shown]]:
    """Return the figures in their order, one a float, or two if both are narrow.

    Parameters
    ----------
    figures
        The figures; those of one kind follow each other.
    folder
        The folder that has their PDFs.

    Raises
    ------
    DataError
        A PDF has no size.
    """
    found: list[list[Shown]] = []
    for one in _shown(figures, folder):
        if found and one.narrow and len(found[-1]) == 1 and found[-1][0].narrow:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def kinds(figures: Sequence[Figure]) -> list[Kind]:
    """Return the kinds of figures in their order."""
    found = []
    for _, group in groupby(figures, _kind):
        members = list(group)
        title = members[0].title.partition(":")[0]
        found.append(Kind(title, members[0].name, members[-1].name))
    return found


def _kind(figure: Figure) -> str:
    return figure.name.partition("-")[0]


def _shown(figures: Sequence[Figure], folder: Path) -> Iterator[Shown]:
    said: dict[tuple[str, str], str] = {}
    for one in figures:
        first = said.setdefault((_kind(one), one.caption), one.name)
        like = "" if first == one.name else first
        yield Shown(one.name, one.title, one.caption, like, _is_narrow(one, folder))


def _is_narrow(figure: Figure, folder: Path) -> bool:
    """Return whether a figure takes half of the width."""
    pdf = folder / f"{figure.name}.pdf"
    found = _BOX.search(read_bytes(pdf))
    if found is None:
        raise DataError(
            "A figure has no size.",
            where=str(pdf),
            got="no /MediaBox",
            fix="remove it, and run the workflow again to draw it anew",
        )
    return float(found[1]) <= _NARROW
