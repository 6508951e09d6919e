"""Where a study departs from the original, and where no source says what that does."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from cactus.config.printed.titles import Titles
from cactus.config.printed.words import value_words
from cactus.config.sections.names import LEARNERS
from cactus.manuscript.parts import METHODS, ORACLE, oracle_of
from cactus.manuscript.protocol import Point, Section
from cactus.manuscript.values import by_name, filled_in

OWN: Final = "chosen by this study"
_LINK: Final = re.compile(
    r" ?\(?\[[^\]]*\]\([^)]*\)\)?"
)  # of Markdown, to a page of the documentation
_CLAUSE: Final = re.compile(r"(?<=[;.]) ")


class Departure(NamedTuple):
    """One point: what it is about, the original, the study, and why, or `OWN`."""

    point: str
    original: str
    here: str
    reason: str


Parts = list[tuple[str, list[Departure]]]  # titles of the protocol's sections, and their points


def departures(
    sections: Iterable[Section],
    settings: Mapping[str, Any],
    defaults: Mapping[str, Any],
    parts: Mapping[str, Collection[str]],
    titles: Titles,
) -> tuple[Parts, Parts]:
    """Return the points on which a study departs, and those that no source has, by section.

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
    departing: dict[str, list[Departure]] = defaultdict(list)
    silent: dict[str, list[Departure]] = defaultdict(list)
    for section in sections:
        for point in section.points:
            for verdict, where, studied in _relevant(point, settings, parts):
                row = _departure(point, settings, defaults, where, studied, titles)
                (departing if verdict == "departs" else silent)[section.title].append(row)
    return list(departing.items()), list(silent.items())


def divided(parts: Parts) -> tuple[Parts, Parts]:
    """Return the points on which a study departs of its own accord, and those with a reason."""
    own = [(title, [one for one in rows if one.reason == OWN]) for title, rows in parts]
    reasoned = [(title, [one for one in rows if one.reason != OWN]) for title, rows in parts]
    return [one for one in own if one[1]], [one for one in reasoned if one[1]]


def _relevant(
    point: Point, settings: Mapping[str, Any], parts: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield the verdicts that matter, with the names that have each, and all of the study's."""
    words = {word for text in (point.part or "", *point.keys) for word in text.split(".")}
    needed = words & {*METHODS}
    if ORACLE in needed:
        needed |= {oracle_of(learner) for learner in needed & {*LEARNERS}}
    verdicts = point.verdicts(settings)
    # Of a name, the data sets on which the study has it must have all else that is needed.
    studied = [
        name
        for names in verdicts.values()
        for name in names
        if set(parts.get(name, ())).intersection(*(parts.get(one, ()) for one in needed))
    ]
    for verdict in ("departs", "unpublished"):
        where = [name for name in verdicts.get(verdict, ()) if name in studied]
        if where:
            yield verdict, where, studied


def _departure(
    point: Point,
    settings: Mapping[str, Any],
    defaults: Mapping[str, Any],
    where: list[str],
    studied: list[str],
    titles: Titles,
) -> Departure:
    """Return a point as a row of a table, for the data sets or embeddings `where` it departs."""

    def chosen(values: Mapping[str, Any]) -> str:
        shown = {name: value_words(values[name]) for name in where if name in values}
        return by_name(shown, studied, titles)

    given = point.says or chosen(point.original_values)
    original = "; ".join(filter(None, (given, point.also, point.differs)))
    here = [chosen(point.values(settings))] if point.keys else []
    own = bool(here) and here != [chosen(point.values(defaults))]
    here += [point.here.strip().rstrip(".")] if point.here and not own else []
    reason = OWN if own else (point.reason or OWN).strip()
    texts = (
        filled_in(settings, text, where, titles) for text in (original, "; ".join(here), reason)
    )
    return Departure(point.point, *(_for_readers(_LINK.sub("", text)) for text in texts))


def _for_readers(text: str) -> str:
    """Return a text without the clauses on keys, files and names of the project, in backquotes."""
    clauses = [one for one in _CLAUSE.split(text) if "`" not in one]
    return " ".join(clauses).rstrip(";")
