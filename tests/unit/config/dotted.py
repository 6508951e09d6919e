"""Dotted keys as the mappings of a study."""

from typing import Any


def nested(path: str, value: Any) -> dict[str, Any]:
    """Return mappings in which a dotted key has a value."""
    first, _, rest = path.partition(".")
    return {first: nested(rest, value) if rest else value}
