"""Reads the numbers of a report from its HTML."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from cactus.files import read_text

_NUMBER: Final = "data-number"
_EMPTY_ELEMENTS: Final = {"br", "hr", "img", "input", "link", "meta", "wbr"}


def numbers_in_page(path: Path) -> list[str]:
    """Return what a page prints as the number of each index, in the order of the indices.

    This is independent of the code that writes the page.

    Raises
    ------
    OSError, ValueError
        The file cannot be read, or an index is missing, occurs twice or is no number.
    """
    reader = _Reader()
    reader.feed(read_text(path))
    reader.close()
    if sorted(reader.found) != list(range(len(reader.found))):
        raise ValueError("its numbers are not counted from 0 without a gap")
    return [" ".join(reader.found[index].split()) for index in sorted(reader.found)]


class _Reader(HTMLParser):
    """Collects the text of the elements that have an index."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[int, str] = {}
        self._index: int | None = None
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter an element."""
        if tag in _EMPTY_ELEMENTS:
            return
        if self._index is not None:
            self._depth += 1
        elif (text := dict(attrs).get(_NUMBER)) is not None:
            self._index, self._depth = int(text), 1
            if self._index in self.found:
                raise ValueError(f"number {self._index} occurs twice")
            self.found[self._index] = ""

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if self._index is not None and tag not in _EMPTY_ELEMENTS:
            self._depth -= 1
            if not self._depth:
                self._index = None

    def handle_data(self, data: str) -> None:
        """Take the text of a number."""
        if self._index is not None:
            self.found[self._index] += data.replace("\N{MINUS SIGN}", "-")
