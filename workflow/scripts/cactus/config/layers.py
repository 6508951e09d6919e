"""The layers of a configuration, of which later ones win, and where each value comes from."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise, product
from typing import Any, Final, NamedTuple

from cactus.config.sections.base import (
    OVERRIDING,
    PER_NAME,
    VARIANTS,
    merge,
)
from cactus.config.yaml_file import KeyPath

MISSING: Final = object()
_MAX_PART: Final = 120  # characters
BUILT_IN: Final = "built-in default"
# Where a study sets the first alone, the second no longer has the value of a weaker layer.
_ITERATIONS, _OF_ORACLE = "iterations", "oracle_iterations"


class Layer(NamedTuple):
    """Values from one place, with the line of each key if that is a file."""

    name: str
    values: dict[str, Any]
    lines: Mapping[KeyPath, int] = {}


class Origin(NamedTuple):
    """The layer that sets a key, and the key's path there, e.g. below `per_dataset`."""

    layer: Layer
    path: KeyPath

    @property
    def source(self) -> str:
        """The layer, with the line if it is a file."""
        line = self.layer.lines.get(self.path)
        return self.layer.name if line is None else f"{self.layer.name}:{line}"

    def __str__(self) -> str:
        if self.path in self.layer.lines:
            return self.source
        names = [str(name) for key, name in pairwise(self.path) if key in OVERRIDING]
        return " ".join([self.source, *(f"for {name}" for name in names)])


class Layers:
    """The layers of a configuration, from the weakest to the strongest."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(map(_with_oracle, layers))

    @cached_property
    def values(self) -> dict[str, Any]:
        """All values; a plain one of a layer wins over those for a data set in layers below."""
        values: dict[str, Any] = {}
        for layer in self.layers:
            values = merge(values, layer.values)
        return values

    def origin(self, path: KeyPath, *names: str) -> Origin:
        """Return where the value of a key comes from, or the nearest section above it.

        Parameters
        ----------
        path
            The key.
        names
            Variants, data sets and embeddings whose overrides count.
        """
        # A list is replaced whole, so its items come from where it does.
        index = next((at for at, part in enumerate(path) if isinstance(part, int)), 0)
        if index:
            layer, whole = self.origin(path[:index], *names)
            item = (*whole, *path[index:])
            return Origin(layer, whole if value_at(layer.values, item) is MISSING else item)
        for length in range(len(path), 0, -1):
            for places in _places(path[:length], names):
                for layer, place in product(reversed(self.layers), places):
                    if value_at(layer.values, place) is not MISSING:
                        return Origin(layer, place)
        return Origin(self.layers[-1], path)

    def rank(self, path: KeyPath, *names: str) -> int:
        """Return the number of the layer that sets a key; the strongest has the highest."""
        return self.layers.index(self.origin(path, *names).layer)

    def is_default(self, path: KeyPath, *names: str) -> bool:
        """Return whether the study leaves a key as it is."""
        return self.origin(path, *names).layer.name.startswith(BUILT_IN)

    def place(self, path: KeyPath, *names: str) -> str:
        """Return a key and where it is set, for the `where` of an error."""
        origin = self.origin(path, *names)
        shown = VARIANTS in origin.path or set(names) <= set(origin.path)
        own = [] if shown else [f"(for {names[0]})"]
        return " ".join([f"{origin.source}: {dotted(_as_set(path, origin.path))}", *own])


def _with_oracle(layer: Layer) -> Layer:
    """Return a layer whose `iterations` of a learner replace `oracle_iterations` of weaker layers.

    Otherwise, a short study would train its oracle as long as the defaults say.
    """
    values, lines = layer.values, dict(layer.lines)
    for learner in _learners(values):
        if value_at(values, (*learner, _OF_ORACLE)) is not MISSING:
            continue
        found = value_at(values, (*learner, PER_NAME[0]))
        own = [(*learner, PER_NAME[0], name) for name in (found if isinstance(found, dict) else ())]
        for section in (learner, *own):
            given, oracle = (*section, _ITERATIONS), (*section, _OF_ORACLE)
            if value_at(values, given) is MISSING or value_at(values, oracle) is not MISSING:
                continue
            values = _replaced(values, oracle, None)
            if given in lines:
                lines[oracle] = lines[given]
    return layer._replace(values=values, lines=lines)


def _learners(values: dict[str, Any]) -> Iterator[KeyPath]:
    """Yield the sections of the meta-learners that a layer has."""
    for section in (("learners",), ("learners", "custom")):
        found = value_at(values, section)
        yield from ((*section, name) for name in (found if isinstance(found, dict) else ()))


def _as_set(path: KeyPath, origin: KeyPath) -> KeyPath:
    """Return the key as its origin writes it; as it is, if the origin has only a section of it."""
    plain = [part for part in origin if part not in OVERRIDING]
    return origin if len(plain) >= len(path) else path


def dotted(path: KeyPath) -> str:
    """Return a key as text, e.g. ``learners.maml.way``."""
    return ".".join(_part_text(str(part)) for part in path)


def _part_text(part: str) -> str:
    plain = part.isdigit() or part.replace("-", "_").isidentifier()
    return part[:_MAX_PART] if plain else ascii(part[:_MAX_PART])


def value_at(values: Any, path: KeyPath) -> Any:
    """Return the value at a path of nested mappings and lists; a marker if there is none."""
    for part in path:
        if isinstance(values, list):
            values = dict(enumerate(values))
        if not isinstance(values, dict) or part not in values:
            return MISSING
        values = values[part]
    return values


def _replaced(values: dict[str, Any], path: KeyPath, value: Any) -> dict[str, Any]:
    """Return nested mappings with another value at a path, whose sections exist."""
    first, *rest = path
    return {
        **values,
        str(first): _replaced(values[str(first)], tuple(rest), value) if rest else value,
    }


def _places(path: KeyPath, names: Sequence[str]) -> tuple[list[KeyPath], list[KeyPath]]:
    """Return the places in a layer that can set a key, from the strongest to the weakest.

    Those of variants are apart: there, any layer wins over the others.
    """
    spots = [(at, name) for name in names for at in range(len(path) - 1, 0, -1)]

    def below(*keys: str) -> list[KeyPath]:
        return [(*path[:at], key, name, *path[at:]) for at, name in spots for key in keys]

    return below(VARIANTS), [*below(*PER_NAME), path]
