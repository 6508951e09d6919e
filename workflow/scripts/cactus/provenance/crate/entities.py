"""The entities of a crate and how they refer to each other."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from rocrate.rocrate import ContextEntity, ROCrate  # type: ignore[import-untyped]


def add_entity(crate: ROCrate, identifier: str, kind: str, /, **properties: Any) -> None:
    """Add what is no file of the crate, unless it is there; empty properties are left out."""
    if identifier not in crate:
        filled = {name: value for name, value in properties.items() if value != []}
        crate.add(ContextEntity(crate, identifier, {"@type": kind, **filled}))


def refer(identifiers: Iterable[str]) -> Any:
    """Refer to entities; to a single one without a list, as RO-Crate 1.1 wants it."""
    found = [{"@id": one} for one in identifiers]
    return found[0] if len(found) == 1 else found


def file_id(name: str) -> str:
    """Return the identifier of a file by its name in the crate."""
    return quote(name)
