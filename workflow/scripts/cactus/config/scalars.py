"""The values of unquoted words in YAML."""

import re
from typing import Final

_CONSTANTS: Final[dict[str, bool | float | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"], True),
    **dict.fromkeys(["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"], False),
    **dict.fromkeys((".inf", "+.inf", ".Inf", ".INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}  # fmt: skip
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?")
_OTHER_BASE: Final = re.compile(
    r"[-+]?(0[0-9_]+|0[box][0-9a-fA-F_]*|[0-9][0-9_]*(:[0-9]+)+(\.[0-9_]*)?)"
)
_MAX_INTEGER: Final = 2**63 - 1


class AmbiguousScalarError(ValueError):
    """An unquoted word that programs read differently; the message says what to write."""


def plain_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted word.

    Raises
    ------
    AmbiguousScalarError
        It is a date, a number in another base than ten, or a number that is too large.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _DATE.fullmatch(text):
        raise AmbiguousScalarError("put quotes around it if it is a name; no key is a date")
    if _OTHER_BASE.fullmatch(text):
        raise AmbiguousScalarError(
            "write a decimal number without leading zeros, or put quotes around a name"
        )
    if _INTEGER.fullmatch(text):
        # Python limits the digits that it converts.
        if len(text) > 25 or abs(int(text)) > _MAX_INTEGER:
            raise AmbiguousScalarError("write a whole number below 2^63")
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
