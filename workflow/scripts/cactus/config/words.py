"""The types and values of keys in words."""

import json
from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from cactus.config.layers import MISSING
from cactus.config.sections.base import BUILT_IN, RUN_PATTERN, DatasetName
from cactus.config.sections.title import TITLE_PATTERN

_NOUNS: Final = {bool: "boolean", int: "integer", float: "float", str: "string", Any: "value"}
# Pydantic's bounds by their attribute.
_BOUNDS: Final = {
    "gt": "> {:g}",
    "ge": ">= {:g}",
    "lt": "< {:g}",
    "le": "<= {:g}",
    "multiple_of": "a multiple of {}",
    "max_length": "of at most {} characters",
    "pattern": "matching `{}`",
}
_PATTERNS: Final = {
    RUN_PATTERN: "with only lowercase letters, digits, `.`, `_` and `-`, the first a letter or a "
    "digit",
    TITLE_PATTERN: "without `$` and backslashes, the first neither a space nor `_`",
}


def type_text(annotation: Any, bounds: Iterable[Any] = ()) -> str:
    """Return a type as a reader of the reference needs it, e.g. ``float > 0 or null``.

    Parameters
    ----------
    annotation
        A type as a settings class declares it.
    bounds
        What restricts it, as Pydantic keeps it in `FieldInfo.metadata`.
    """
    return _in_words(annotation, _bounds_text(bounds), plural=False)


def shown(value: Any) -> str:
    """Return a value as an error shows it: of a section, only the names of its keys."""
    if isinstance(value, dict):
        keys = ", ".join(list(value)[:10])
        return f"a mapping with the keys {keys}"[:200] if value else "an empty mapping"
    text = "nothing" if value is MISSING else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:197]}..."


def _in_words(annotation: Any, bounds: str, *, plural: bool) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation == DatasetName:
        return f"{', '.join(BUILT_IN)} or {'names' if plural else 'a name'} under data.custom"
    if origin is Annotated:
        metadata = [part for field in arguments[1:] for part in field.metadata]
        return _in_words(arguments[0], _bounds_text(metadata), plural=plural)
    if origin is Literal:
        values = ", ".join(map(str, arguments))
        return values if plural or len(arguments) == 1 else f"one of {values}"
    if origin in (Union, UnionType):
        return " or ".join(_in_words(one, bounds, plural=plural) for one in arguments)
    if origin is not None:
        return _collection(origin, arguments, bounds, plural=plural)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        keys = f"with the keys {', '.join(annotation.model_fields)}"
        return f"mapping{'s' * plural} {keys}"
    if annotation is type(None):
        return "null"
    return f"{_NOUNS[annotation]}{'s' * plural}{bounds}"


def _collection(origin: Any, arguments: tuple[Any, ...], bounds: str, *, plural: bool) -> str:
    if origin is dict:
        mapping = f"mapping{'s' * plural}{bounds}"
        if arguments == (str, Any):
            return mapping
        keys, values = (_in_words(one, "", plural=True) for one in arguments)
        return f"{mapping} from {keys} to {values}"
    fixed = origin is tuple and Ellipsis not in arguments
    length = f"{len(arguments)} " if fixed else ""
    return f"list{'s' * plural}{bounds} of {length}{_in_words(arguments[0], '', plural=True)}"


def _bounds_text(metadata: Iterable[Any]) -> str:
    """Return bounds with a space before them; empty if there are none."""
    found = [
        _PATTERNS.get(value, words.format(value)).replace(f"{2**63:g}", "2^63")
        for one in metadata
        for name, words in _BOUNDS.items()
        if (value := getattr(one, name, None)) is not None
    ]
    return f" {' and '.join(found)}" if found else ""
