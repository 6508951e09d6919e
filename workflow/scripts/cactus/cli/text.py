"""Text for a terminal, and for programs."""

import argparse
import fcntl
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from cactus.errors import printable

# Words that stand alone in a cell of a table and say how something is, with their colors.
_COLORS: Final = {
    **dict.fromkeys(("fresh", "found", "ok", "equal"), "32"),
    **dict.fromkeys(
        ("stale", "stopped", "queued", "incomplete", "note", "missing", "closed"), "33"
    ),
    **dict.fromkeys(("failed", "broken", "blocks"), "31"),
    **dict.fromkeys(("running",), "36"),
}


def is_terminal() -> bool:
    """Return whether standard output is a terminal that can move its cursor."""
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _has_colors() -> bool:
    return is_terminal() and not os.environ.get("NO_COLOR")


def columns(rows: Sequence[Sequence[str]], widest: int = sys.maxsize) -> str:
    """Return rows as left-aligned columns; on a terminal, words for a state have their color.

    A text of more than `widest` characters moves what follows in its own row alone.
    """
    shown = [[printable(text) for text in row] for row in rows]
    lengths = ([len(text) for text in column] for column in zip(*shown, strict=True))
    widths = [max((one for one in column if one <= widest), default=0) for column in lengths]
    colors = _COLORS if _has_colors() else {}
    lines = (
        "  ".join(
            _painted(text, width, colors.get(text)) for text, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in shown
    )
    return "\n".join(lines)


def _painted(text: str, width: int, color: str | None) -> str:
    padded = text.ljust(width)
    return padded if color is None else f"\x1b[{color}m{text}\x1b[0m{padded[len(text) :]}"


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, indent=1))


def seen(path: str | Path, arguments: argparse.Namespace) -> str:
    """Return a path as it reads in the folder in which the command was called."""
    here = getattr(arguments, "here", Path.cwd())
    return str(path) if here == Path.cwd() else os.path.relpath(path, here)


def tell(facts: dict[str, Any], *lines: str, as_json: bool) -> None:
    """Print what a command did: facts for programs, or lines for people."""
    if as_json:
        print_json(facts)
    else:
        print("\n".join(lines))


@contextmanager
def json_alone(as_json: bool) -> Iterator[None]:
    """Send all that is printed meanwhile, also by programs that are called, to standard error."""
    if not as_json or sys.stdout is None:  # closed
        yield
        return
    sys.stdout.flush()
    kept = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, 3)
    elsewhere = 2 if sys.stderr is not None else os.open(os.devnull, os.O_WRONLY)
    os.dup2(elsewhere, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def size(number: float) -> str:
    """Return a number of bytes in suitable units."""
    power = 0
    while power < 4 and abs(number) >= 1000:
        number, power = number / 1000, power + 1
    unit = ("bytes", "kB", "MB", "GB", "TB")[power]
    return f"{number:.0f} {unit}" if power == 0 else f"{number:.1f} {unit}"
