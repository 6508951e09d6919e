"""Where the classes of meta-training tasks come from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from cactus.errors import ConfigError

SourceKind = Literal["kmeans", "hyperplanes", "labels", "random", "pixels", "scratch"]
# Where the grid names task sources; the last are the patterns of `include` and `exclude`.
SourcePlace = Literal["embeddings", "controls", "patterns"]
BARE_KINDS: tuple[SourceKind, ...] = ("labels", "random", "pixels", "scratch")
SourceInput = Literal["embeddings", "images", "labels"]
NAME_PATTERN: Final = re.compile(r"[a-z][a-z0-9_]*")
_HYPERPLANES: Final = "hyperplanes-"
_WAY: Final = re.compile(r"([2-9]|[1-9]\d{1,3})-way")
_VARIANT: Final = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
# Names of variants that say a number, and the key that has to have it.
_NUMBERED: Final = {"p": "count", "k": "clusters"}
# These have no partitions to vary, and the oracle of every way is one model, as in the original.
FIXED: Final = ("labels", "scratch")


@dataclass(frozen=True)
class Source:
    """Where the classes of meta-training tasks come from.

    Attributes
    ----------
    name
        As in the configuration and in result paths, e.g. ``hyperplanes-acai+margin-0``.
    kind
        How the training images are partitioned.
    embedding
        The embedding that is partitioned, or None.
    variant
        The entry of `partitions.variants` whose values the partitions are made with, or None.
    way
        Classes of an episode, in meta-training and in the only evaluation settings that the model
        is scored on; None for the learner's own, and all settings.
    """

    name: str
    kind: SourceKind
    embedding: str | None = None
    variant: str | None = None
    way: int | None = None

    @classmethod
    def parse(cls, name: str) -> Self:
        """Parse the name of a source: ``<base>[+<variant>][+<N>-way]``.

        The base is an embedding, ``hyperplanes-<embedding>`` or a bare kind.

        Raises
        ------
        ConfigError
            The name does not have this form.
        """
        base, *rest = name.split("+")
        found = _WAY.fullmatch(rest[-1]) if rest else None
        variants = rest[:-1] if found else rest
        if len(variants) > 1 or not all(map(is_variant_name, variants)) or (rest and base in FIXED):
            raise _invalid(name)
        kind, embedding = _parse_base(base, name)
        variant = variants[0] if variants else None
        return cls(name, kind, embedding, variant, int(found[1]) if found else None)

    @property
    def base(self) -> str:
        """The name without variant and way."""
        return self.name.partition("+")[0]

    @property
    def origin(self) -> str:
        """The source that this one departs from: the embedding, or the name without an ending."""
        return self.embedding or self.base

    @property
    def without_way(self) -> str:
        """The name without way."""
        return self.name.removesuffix(f"+{self.way}-way")

    @property
    def input(self) -> SourceInput:
        """The array of the training split from which partitions are made.

        Raises
        ------
        ConfigError
            The source has no partitions.
        """
        match self.kind:
            case "labels":
                return "labels"
            case "random" | "pixels":
                return "images"
            case "kmeans" | "hyperplanes":
                return "embeddings"
            case "scratch":
                raise self.without_partition()

    @property
    def by_kmeans(self) -> bool:
        """Whether the partitions are made by k-means."""
        return self.kind in ("kmeans", "pixels")

    def without_partition(self) -> ConfigError:
        """Return the error for a request of partitions, which this source does not have."""
        return ConfigError(
            "Training from scratch does not use partitions.",
            where="the task source",
            got=repr(self.name),
            fix="evaluate this cell directly; it is not meta-trained",
        )


def is_variant_name(name: str) -> bool:
    """Return whether `partitions.variants` can have an entry of this name."""
    return _VARIANT.fullmatch(name) is not None and re.fullmatch(r"\d+-way", name) is None


def unmet_name(name: str, values: Mapping[str, Any]) -> str:
    """Return what a variant has to be by its name, if its values are others; else nothing.

    Titles and the paper's numbers go by the names of variants. So ``p-<n>``, ``k-<n>`` and
    ``margin-<x>`` are kept for those that set what the name says.
    """
    kind, _, number = name.partition("-")
    if (plain := plain_name(name)) != name:
        return f"`{plain}` in other digits"
    if kind in _NUMBERED and number.isdecimal():
        wanted = {_NUMBERED[kind]: int(number)}
        return "" if values == wanted else f"`{_NUMBERED[kind]}: {int(number)}` and nothing else"
    if kind == "margin" and re.fullmatch(r"\d+(\.\d+)?", number):
        planes = values.get("hyperplanes")
        met = isinstance(planes, dict) and planes.get("margin") == float(number)
        if not met or len(values) > 1 or "per_embedding" in values["hyperplanes"]:
            return f"`hyperplanes: {{margin: {number}}}`, beside it only plain keys of hyperplanes"
    return ""


def plain_name(name: str) -> str:
    """Return the name of a variant with its number in plain digits: ``p-7`` for ``p-07``."""
    kind, _, number = name.partition("-")
    whole, _, places = number.partition(".")
    if not re.fullmatch(r"\d+" if kind in _NUMBERED else r"\d+(\.\d+)?", number):
        return name
    if kind not in (*_NUMBERED, "margin"):
        return name
    return f"{kind}-{int(whole)}.{places.rstrip('0')}".removesuffix(".")


def numbered_values(name: str) -> dict[str, Any]:
    """Return what a variant like ``p-<n>`` or ``margin-<x>`` has to be; nothing for others."""
    kind, _, number = name.partition("-")
    if kind in _NUMBERED and re.fullmatch("[1-9][0-9]*", number):
        return {_NUMBERED[kind]: int(number)}
    if kind == "margin" and re.fullmatch(r"\d+(\.\d+)?", number):
        return {"hyperplanes": {"margin": float(number)}}
    return {}


def _parse_base(base: str, name: str) -> tuple[SourceKind, str | None]:
    """Return the kind and the embedding of a name without variant and way."""
    for bare in BARE_KINDS:
        if base == bare:
            return bare, None
    embedding = base.removeprefix(_HYPERPLANES)
    if NAME_PATTERN.fullmatch(embedding):
        return ("kmeans" if embedding == base else "hyperplanes"), embedding
    raise _invalid(name)


def _invalid(name: str) -> ConfigError:
    bare = ", ".join(BARE_KINDS)
    return ConfigError(
        "The name of a task source is not valid.",
        where="grid.controls",
        got=repr(name),
        fix=f"use an embedding's name, {_HYPERPLANES}<embedding>, or one of {bare}, and add "
        "`+<variant>` for an entry of partitions.variants or `+<N>-way` for N-way tasks",
    )
