"""Entities of a crate, and references between them."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from rocrate.rocrate import ContextEntity, ROCrate  # type: ignore[import-untyped]


def add_entity(crate: ROCrate, identifier: str, kind: str, /, **properties: Any) -> str:
    """Add an entity that is not a file, unless it exists; return its identifier.

    Empty properties are left out.
    """
    if identifier not in crate:
        filled = {name: value for name, value in properties.items() if value != []}
        crate.add(ContextEntity(crate, identifier, {"@type": kind, **filled}))
    return identifier


def refer(identifiers: Iterable[str]) -> Any:
    """Return a reference to entities; a single one is not in a list, as RO-Crate 1.1 requires."""
    found = [{"@id": one} for one in identifiers]
    return found[0] if len(found) == 1 else found


def file_id(name: str) -> str:
    """Return the identifier of a file, given its name in the crate."""
    return quote(name)
