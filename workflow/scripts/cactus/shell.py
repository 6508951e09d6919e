"""Words of commands that a shell reads as they were meant."""

import os
import re
import shlex
from typing import Final

from cactus.errors import printable

# What `$'...'` has to escape: all bytes but those of printable ASCII, the quote and the backslash.
_ESCAPED: Final = re.compile(rb"[^ -~]|['\\]")


def quoted(word: str | os.PathLike[str]) -> str:
    """Return a word as bash reads it, on one line and without what a terminal acts on."""
    text = os.fspath(word)
    if printable(text) == text:
        return shlex.quote(text)
    return f"$'{_ESCAPED.sub(_escape, os.fsencode(text)).decode()}'"


def _escape(match: re.Match[bytes]) -> bytes:
    return b"\\x%02x" % match[0][0] if match[0] not in b"'\\" else b"\\" + match[0]
