"""Text for a terminal."""

from collections.abc import Sequence

from cactus.errors import printable


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as left-aligned columns."""
    shown = [[printable(text) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = (
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    )
    return "\n".join(lines)
