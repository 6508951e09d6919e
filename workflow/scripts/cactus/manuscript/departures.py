"""Where a study departs from the original, and where no source says what that does."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from cactus.config.printed.titles import Titles
from cactus.manuscript.parts import METHODS
from cactus.manuscript.protocol import Point, Section
from cactus.manuscript.values import by_name, filled_in

_OWN: Final = "chosen by this study"
_LINK: Final = re.compile(
    r" ?\(?\[[^\]]*\]\([^)]*\)\)?"
)  # of Markdown, to a page of the documentation


class Departure(NamedTuple):
    """One point: what it is about, the original, the study, and why, if the page says so."""

    point: str
    original: str
    here: str
    reason: str


def departures(
    sections: Iterable[Section],
    settings: Mapping[str, Any],
    defaults: Mapping[str, Any],
    parts: Mapping[str, Collection[str]],
    titles: Titles,
) -> tuple[list[Departure], list[Departure]]:
    """Return the points on which a study departs, and those that no source has.

    Parameters
    ----------
    sections
        The protocol.
    settings
        The study's configuration, as JSON values.
    defaults
        That of a study without keys of its own, which the reasons of the protocol are about.
    parts
        See `cactus.manuscript.parts.parts_of`.
    titles
        Titles of what the study adds.
    """
    found: dict[str, list[Departure]] = {"departs": [], "unpublished": []}
    for point in (point for section in sections for point in section.points):
        for verdict, where in _relevant(point, settings, parts):
            found[verdict].append(_departure(point, settings, defaults, where, titles))
    return found["departs"], found["unpublished"]


def _relevant(
    point: Point, settings: Mapping[str, Any], parts: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, list[str]]]:
    """Yield the verdicts that matter, each with the names of the study that have it."""
    words = {word for text in (point.part or "", *point.keys) for word in text.split(".")}
    needed = words & {*METHODS}
    verdicts = point.verdicts(settings)
    for verdict in ("departs", "unpublished"):
        # Of a name, the data sets on which the study has it must have all else that is needed.
        where = [
            name
            for name in verdicts.get(verdict, ())
            if set(parts.get(name, ())).intersection(*(parts.get(one, ()) for one in needed))
        ]
        if where:
            yield verdict, where


def _departure(
    point: Point,
    settings: Mapping[str, Any],
    defaults: Mapping[str, Any],
    where: list[str],
    titles: Titles,
) -> Departure:
    """Return a point as a row of a table, for the data sets or embeddings `where`."""

    def chosen(values: Mapping[str, Any]) -> str:
        return by_name({name: values[name] for name in where if name in values}, where, titles)

    original = point.says or chosen(point.original_values)
    here = [chosen(point.values(settings))] if point.keys else []
    own = bool(here) and here != [chosen(point.values(defaults))]
    here += [point.here.strip().rstrip(".")] if point.here and not own else []
    reason = _OWN if own else (point.reason or _OWN).strip()
    texts = (
        filled_in(settings, text, where, titles) for text in (original, "; ".join(here), reason)
    )
    return Departure(point.point, *(_LINK.sub("", text) for text in texts))
