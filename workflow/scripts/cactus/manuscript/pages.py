"""In which order figures fill the pages of a paper."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cactus.errors import DataError
from cactus.files import read_bytes
from cactus.report.figures import Figure

# Points, as templates/paper.tex.jinja sets the page and its captions.
_WIDTH: Final = 512.0
_HEIGHT: Final = 727.0
_TALLEST: Final = 0.85 * _HEIGHT
_LINE: Final = 11.0
_APART: Final = 21.0  # around a figure and its caption
_LETTERS: Final = 118  # in a line of a caption
_BOX: Final = re.compile(rb"/MediaBox \[ ?0 0 ([0-9.]+) ([0-9.]+) ?\]")


def filling_pages(figures: Sequence[Figure], folder: Path) -> list[Figure]:
    """Return figures such that few pages have room left, each as early as it was if it can be.

    LaTeX puts figures on pages in the order in which they come. So each is moved to the first page
    on which it fits, after those that were there before it.

    Parameters
    ----------
    figures
        The figures as they would be without regard to pages.
    folder
        The folder that has their PDFs.

    Raises
    ------
    DataError
        A PDF has no size.
    """
    pages: list[tuple[float, list[Figure]]] = []
    for figure in figures:
        height = _height(figure, folder / f"{figure.name}.pdf")
        for place, (used, there) in enumerate(pages):
            if used + height <= _HEIGHT + _APART:  # nothing is below the last one
                pages[place] = used + height, [*there, figure]
                break
        else:
            pages.append((height, [figure]))
    return [figure for _, there in pages for figure in there]


def _height(figure: Figure, pdf: Path) -> float:
    """Return the height of a figure with its caption, in points."""
    found = _BOX.search(read_bytes(pdf))
    if found is None:
        raise DataError(
            "A figure has no size.",
            where=str(pdf),
            got="no /MediaBox",
            fix="remove it, and run the workflow again to draw it anew",
        )
    width, height = map(float, found.groups())
    lines = math.ceil(len(f"Figure 10: {figure.title}. {figure.caption}") / _LETTERS)
    return min(height * min(1, _WIDTH / width), _TALLEST) + lines * _LINE + _APART
