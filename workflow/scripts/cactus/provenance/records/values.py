"""The kinds of values that records hold, checked when a record is read.

A record may come from a stranger, so that no name in it leads out of the folder it is relative to.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

_YEARS: Final = (1970, 9998)
_DRIVE: Final = re.compile(r"^[A-Za-z]:")


def is_inside(name: str) -> bool:
    r"""Return whether a relative name, with ``/`` between its parts, stays in its folder.

    It must be a plain name on every system: without control characters, ``\\``, a drive, and empty
    parts, ``.`` and ``..``; a folder may end in ``/``.
    """
    parts = name.removesuffix("/").split("/")
    plain = name.isprintable() and "\\" not in name and not _DRIVE.match(name)
    return plain and not {"", ".", ".."} & {*parts}


def _inside(name: str) -> str:
    if not is_inside(name):
        raise ValueError("it leads out of its folder, or is not a plain name")
    return name


def _moment(text: str) -> str:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone")
    if not _YEARS[0] <= moment.year <= _YEARS[1]:  # other time zones must have it, too
        raise ValueError("a time out of range")
    return text


Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
RelativeName = Annotated[str, AfterValidator(_inside)]
# A file may be anywhere, but no system has one with such a character in its name.
DeclaredName = Annotated[str, Field(pattern=r"^[^\x00]+$")]
# ISO 8601 with its time zone.
Moment = Annotated[str, AfterValidator(_moment)]
Amount = Annotated[int, Field(ge=0, lt=1 << 63)]


def checked(kind: TypeAdapter[Any], value: Any) -> Any:
    """Return a value as a type has it; a ValueError says in one line what does not fit."""
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        raise ValueError(what_is_wrong(error)) from error


def what_is_wrong(error: ValidationError) -> str:
    """Return the first thing that a model refuses, in one line."""
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"])) or "the whole"
    return f"{place}: {first['msg']}"
