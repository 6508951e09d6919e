"""Which names of task sources a place in the grid takes, and which one was meant by another."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from cactus.config.sections.partition import changes_partitions
from cactus.config.sections.source import (
    BARE_KINDS,
    FIXED,
    Source,
    SourcePlace,
    numbered_values,
    plain_name,
)
from cactus.errors import ConfigError

_FORM: Final = (
    "labels, random, pixels or hyperplanes-<embedding>; or one of the last three, or an embedding, "
    "with `+<variant>` for an entry of partitions.variants or `+<N>-way` for N-way tasks"
)
_ANY: Final = "a task source is an embedding, scratch, or a control, which"
_LIKE: Final = 0.75  # similarity of names of which one is taken for the other


@dataclass(frozen=True)
class SourceNames:
    """The names of task sources that the grid of a configuration can have.

    Attributes
    ----------
    embeddings
        Names of all embeddings.
    variants
        The entries of `partitions.variants`.
    ways
        Ways of the evaluation, to which a source can be limited.
    """

    embeddings: Collection[str]
    variants: Mapping[str, Mapping[str, Any]]
    ways: Collection[int]

    def advice(self, name: str, place: SourcePlace) -> str:
        """Return what to write instead of a name that a place cannot have; empty if it can."""
        if self._is_known(name) and self._fits(name, place):
            return ""
        meant, reason = self._meant(name, place)
        start = f"did you mean '{meant}'?" if meant not in ("", name) else ""
        move = "" if not meant or self._fits(meant, place) else _move(meant, place)
        return " ".join(filter(None, (start, move or reason)))

    def with_variant(self, variant: str) -> str:
        """Return a source whose partitions a variant changes; empty if there is none."""
        return next((name for name in self._names() if name.endswith(f"+{variant}")), "")

    def _is_known(self, name: str) -> bool:
        source = _parsed(name)
        return (
            source is not None
            and (source.embedding is None or source.embedding in self.embeddings)
            and (source.variant is None or source.variant in self.variants)
        )

    def _fits(self, name: str, place: SourcePlace) -> bool:
        """Return whether a place can have a name that is known."""
        home = "embeddings" if name in self.embeddings else "controls"
        return place == "patterns" or (place == home and name != "scratch")

    def _names(self) -> Iterator[str]:
        """Yield the names that are known and have an effect."""
        for base in (*self.embeddings, *BARE_KINDS, *map("hyperplanes-{}".format, self.embeddings)):
            own = [base, *(f"{base}+{name}" for name in self._variants_of(base))]
            yield from own
            if base not in FIXED:
                yield from (f"{one}+{way}-way" for one in own for way in self.ways)

    def _variants_of(self, base: str) -> list[str]:
        """Return the variants that change the partitions of a source."""
        if base in FIXED:
            return []
        source = Source.parse(base)
        return [name for name, one in self.variants.items() if changes_partitions(one, source, "")]

    def _meant(self, name: str, place: SourcePlace) -> tuple[str, str]:
        """Return the name that was meant, if one is similar, and what is wrong with this one."""
        source = _parsed(name) or _parsed(name.strip().lower())
        variant = source.variant if source and self._is_known(source.base) else None
        if source and variant and variant not in self._variants_of(source.base):
            return self._with_other_variant(source, variant, place)
        if self._is_known(name):
            return name, ""
        near = self._nearest(name, place)
        embedding = source.embedding if source and source.embedding != name else None
        other = embedding is not None and embedding not in self.embeddings
        if other or (place == "embeddings" and near in ("", *self.embeddings)):
            known = f"known are {', '.join(self.embeddings)} (add others under embeddings.custom)"
            return near, f"The embedding is unknown; {known}"
        if near:
            return near, ""
        return "", f"{'a control' if place == 'controls' else _ANY} is {_FORM}"

    def _nearest(self, name: str, place: SourcePlace) -> str:
        """Return the known name that is most similar, first of those that fit; empty if none is."""
        text = name.strip().lower()
        if text.startswith("single-"):  # as sources of one partition were called
            text = f"{text.removeprefix('single-')}+p-1"
        names = sorted(self._names(), key=lambda one: not self._fits(one, place))
        return next(iter(get_close_matches(text, names, 1, _LIKE)), "")

    def _with_other_variant(
        self, source: Source, variant: str, place: SourcePlace
    ) -> tuple[str, str]:
        """Return a source that differs in its variant, if one is similar, and what is wrong."""
        of_base = self._variants_of(source.base)
        way = f"+{source.way}-way" if source.way else ""
        if (plain := plain_name(variant)) in of_base:
            reason = f"partitions.variants has no `{variant}`"
            return f"{source.base}+{plain}{way}", reason
        ways = [] if source.way else [f"{way}-way" for way in self.ways]
        known = variant in self.variants
        variant = variant if known else plain
        values = {} if known else numbered_values(variant)
        # Another number is another variant, no misspelling.
        near = [] if values else get_close_matches(variant, [*of_base, *ways], 1)
        reason = f"partitions.variants has no `{variant}`"
        reason = f"`{variant}` changes nothing for {source.base}" if known else reason
        if not near:
            others = ", or ".join(f"use {source.base}+{one}{way}" for one in of_base)
            under = "; it belongs under grid.controls.<data set>" if place == "embeddings" else ""
            if values and not changes_partitions(values, Source.parse(source.base), ""):
                others = others and f"; {others}"
                return "", f"{source.base} reads no {next(iter(values))}{others}{under}"
            add = json.dumps(values).replace('"', "")
            way_out = f"add `{variant}: {add}`" if values else "add it"
            others = others and f", or {others}"
            reason += f": {'change it' if known else way_out}{others}{under}"
        return f"{source.base}+{near[0]}{way}" if near else "", reason


def _move(name: str, place: SourcePlace) -> str:
    """Say where a name belongs that another place has."""
    if name == "scratch":
        what = "embedding" if place == "embeddings" else "control"
        return f"training from scratch is no {what}; turn it on by grid.scratch"
    if place == "controls":
        return f"'{name}' is not a control; name it in grid.embeddings instead"
    return f"`{name}` is a control; put it under grid.controls.<data set>"


def _parsed(name: str) -> Source | None:
    try:
        return Source.parse(name)
    except ConfigError:
        return None
