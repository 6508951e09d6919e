"""The note of a table on what departs from the defaults, which are the paper's."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from cactus.config.printed.titles import Titles
from cactus.config.printed.words import key_words, value_words
from cactus.paper.latex import escape

Schedule = Sequence[tuple[str, str, int | float | str, int | float | str]]


def departures(schedule: Schedule, titles: Titles) -> list[str]:
    r"""Return a note that says which settings are not as by default; none if all are.

    A paper that says so elsewhere may define ``\cactusdepartures``, whose argument is the note.

    Parameters
    ----------
    schedule
        See `cactus.config.printed.schedule.schedule_changes`.
    titles
        The printed names of what a study adds.
    """
    changes = changed_settings(schedule, titles)
    if not changes:
        return []
    return [
        r"\providecommand{\cactusdepartures}[1]{#1}\cactusdepartures{\textbf{Settings depart from "
        r"the defaults} (in brackets), which are the paper's where they are known. "
        f"{'; '.join(changes)}.}}"
    ]


def changed_settings(schedule: Schedule, titles: Titles) -> list[str]:
    """Return what has settings that are not as by default, each with these settings, as LaTeX."""
    names: dict[str, list[str]] = defaultdict(list)  # that have a change in common
    for name, key, *values in schedule:
        ours, default = map(shown, values)
        change = escape(f"{key_words(key)} {ours} ({default})").replace("/", r"/\allowbreak{}")
        names[change].append(escape(title_of(name, titles)))
    changes: dict[str, list[str]] = defaultdict(list)  # that names have in common
    for change, having in names.items():
        changes[" and ".join(having)].append(change)
    return [f"{having}: {', '.join(found)}" for having, found in changes.items()]


def shown(value: float | str) -> str:
    """Return a value in words; a number is never in powers of ten."""
    match value:
        case int():
            return f"{value:,}"
        case float():
            return f"{Decimal(repr(value)):f}"
    return str(value_words(value))


def title_of(name: str, titles: Titles) -> str:
    """Return the printed name of what has a setting of another value than by default."""
    kind, _, own = name.partition("-")
    match kind:
        case "embedding":
            return titles.source(own)
        case "learner":
            return titles.learner(own)
        case "oracle":
            return titles.method(name)
    return titles.method(own)
