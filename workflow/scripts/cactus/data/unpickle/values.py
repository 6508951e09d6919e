"""The values in a pickle: their text and bytes, and the keys that a dict may have."""

import codecs

_MAX_DIGITS = 700
_MAX_LONG_BYTES = 255
_MAX_KEY = 1 << 31


class UnsupportedError(ValueError):
    """A pickle does what pickles of plain data do not do."""


def set_item(target: object, key: object, value: object) -> None:
    """Set an item of a dict; refuse keys that are costly to hash or to compare.

    Raises
    ------
    ValueError
        The target is not a dict, or the key is repeated or not str, bytes or a small int.
    """
    if type(target) is not dict:
        raise ValueError(f"items for a {type(target).__name__}, not a dict")
    if type(key) not in (str, bytes, int) or (isinstance(key, int) and abs(key) >= _MAX_KEY):
        raise UnsupportedError(
            f"a dict with a key of type {type(key).__name__}, not text or a small int"
        )
    if key in target:
        raise ValueError("a dict with a key twice")
    target[key] = value


def integer(text: bytes) -> int:
    """Read a decimal integer; Python 2 wrote an L behind long ones."""
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"an integer of {len(text)} digits")
    return int(text.removesuffix(b"L"))


def boolean_or_integer(text: bytes) -> int:
    """Read a decimal integer, or one of the two forms of a boolean."""
    return text == b"01" if text in (b"00", b"01") else integer(text)


def long_integer(content: bytes | bytearray) -> int:
    """Read the bytes of an integer."""
    if len(content) > _MAX_LONG_BYTES:
        raise ValueError(f"an integer of {len(content)} bytes")
    return int.from_bytes(content, "little", signed=True)


def real(text: bytes) -> float:
    """Read a decimal number."""
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return float(text)


def quoted(text: bytes) -> bytes:
    """Read a string of Python 2."""
    if len(text) < 2 or text[:1] not in (b"'", b'"') or text[:1] != text[-1:]:
        raise ValueError("a string without quotes")
    return codecs.escape_decode(text[1:-1])[0]


def utf8(content: bytes | bytearray) -> str:
    """Read text; Python 3 also pickles half of a surrogate pair."""
    return str(content, "utf-8", "surrogatepass")


def raw_unicode(text: bytes) -> str:
    """Read text of the oldest protocol."""
    return str(text, "raw-unicode-escape")
