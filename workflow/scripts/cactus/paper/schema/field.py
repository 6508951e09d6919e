"""A column of a file of numbers, as Frictionless Table Schema describes it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Type = Literal["string", "integer", "number", "boolean"]


class Field(NamedTuple):
    """A column.

    Attributes
    ----------
    name, type
        Its name in the file, and its type by the standard's name.
    description
        What it holds.
    unit
        Unit of its numbers; empty for text and counts.
    required
        Whether every row has a value.
    limits
        Further constraints by the standard's names, such as ``minimum`` or ``enum``.
    """

    name: str
    type: Type
    description: str
    unit: str = ""
    required: bool = True
    limits: Mapping[str, Any] = MappingProxyType({})

    def descriptor(self) -> dict[str, Any]:
        """Return the field as the standard writes it; ``unit`` is a property of our own."""
        return {
            "name": self.name,
            "type": self.type,
            "description": self.description,
            **({"unit": self.unit} if self.unit else {}),
            "constraints": {"required": self.required, **self.limits},
        }


def accuracy(name: str, description: str, *, required: bool = True) -> Field:
    """Return a column of mean accuracies."""
    return Field(name, "number", description, "fraction", required, {"minimum": 0, "maximum": 1})


def width(name: str, description: str, *, required: bool = True, unit: str = "fraction") -> Field:
    """Return a column of half-widths or standard deviations."""
    return Field(name, "number", description, unit, required, {"minimum": 0})


def count(name: str, description: str, minimum: int = 0) -> Field:
    """Return a column of counts."""
    return Field(name, "integer", description, limits={"minimum": minimum})


def names(fields: tuple[Field, ...]) -> list[str]:
    """Return the names of columns."""
    return [field.name for field in fields]


def text_names(fields: tuple[Field, ...]) -> list[str]:
    """Return the names of the columns of text."""
    return [field.name for field in fields if field.type == "string"]
