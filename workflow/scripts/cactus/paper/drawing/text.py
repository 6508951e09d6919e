"""Texts that fit: wrapped to a width, and labels moved apart."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

_POINTS: Final = 72  # per inch
_LINE: Final = 1.25  # distance of lines of text, as a part of their size


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width in inches of one line of text at a font size in points."""
    font = FontProperties(size=size, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) / _POINTS


def text_height(texts: Sequence[str], size: float) -> float:
    """Return the height in inches of the text with the most lines, and a little space."""
    lines = max((1 + text.count("\n") for text in texts), default=0)
    return (lines * _LINE + 0.4) * size / _POINTS


def wrapped(text: str, width: float, size: float, *, lines: int = 2, bold: bool = False) -> str:
    """Break a text into lines no wider than `width` inches.

    A word that is wider is broken, too, at an underscore, hyphen or slash if it has one. What does
    not fit into the given number of lines is replaced by an ellipsis.
    """

    def fits(line: str) -> bool:
        return text_width(line, size, bold=bold) <= width

    done: list[str] = []
    for part in text.split("\n"):
        line = ""
        for word in part.split():
            longer = f"{line} {word}".lstrip()
            if fits(longer):
                line = longer
                continue
            if line:
                done.append(line)
            line = word
            while not fits(line) and len(line) > 1:
                count = next(n for n in range(len(line) - 1, 0, -1) if n == 1 or fits(line[:n]))
                joints = [place + 1 for place in range(count) if line[place] in "_-/"]
                count = joints[-1] if joints else count
                done.append(line[:count])
                line = line[count:]
        done.append(line)
    if len(done) > lines:
        last = done[lines - 1]
        while last and not fits(f"{last}…"):
            last = last[:-1]
        done = [*done[: lines - 1], f"{last.rstrip(' ,')}…"]
    return "\n".join(done)


def shortened(text: str, width: float, size: float) -> str:
    """Return one line no wider than `width` inches: an ellipsis stands for what is in the middle.

    The ends are kept, in which names that belong together differ.
    """
    line = " ".join(text.split())
    shown, kept = line, len(line)
    while kept > 1 and text_width(shown, size) > width:
        kept -= 1
        shown = f"{line[: (kept + 1) // 2]}…{line[len(line) - kept // 2 :]}"
    return shown


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move places apart until neighbors have at least a distance, as little as possible.

    Minimizes the sum of squared moves by pooling neighbors that are too close.

    Parameters
    ----------
    gap
        The smallest distance; smaller if the range is too short for it.
    low, high
        Where the first and the last place may be.
    """
    if not places:
        return []
    gap = min(gap, (high - low) / max(len(places) - 1, 1))
    order = np.argsort(places, kind="stable")
    pools: list[tuple[float, int]] = []  # sum of shifted places, and their number
    for rank, index in enumerate(order):
        pools.append((places[index] - rank * gap, 1))
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] >= pools[-1][0] / pools[-1][1]:
            (total, count), (other, more) = pools.pop(), pools.pop()
            pools.append((total + other, count + more))
    shifted = np.concatenate([np.full(count, total / count) for total, count in pools])
    shifted = np.clip(shifted, low, high - (len(places) - 1) * gap)
    moved = np.empty(len(places))
    moved[order] = shifted + gap * np.arange(len(places))
    return [float(place) for place in moved]
