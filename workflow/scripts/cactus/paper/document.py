"""The standalone document of all tables; apart from them, as it needs no pandas."""

from collections.abc import Sequence
from pathlib import Path

from cactus.files import write_text
from cactus.paper import latex


def write_document(tables: Sequence[str], output: Path) -> None:
    """Write a standalone document that shows the named tables, which stand in its own folder."""
    write_text(output, latex.document(tables))
