"""The note of a table on what departs from the defaults, which are the paper's."""

from collections import defaultdict
from collections.abc import Sequence

from cactus.config.printed.titles import Titles
from cactus.paper.latex import escape

Schedule = Sequence[tuple[str, str, int | float | str, int | float | str]]


def departures(schedule: Schedule, titles: Titles) -> list[str]:
    """Return a sentence that says which settings are not as by default; none if all are.

    Parameters
    ----------
    schedule
        See `cactus.config.printed.schedule.schedule_changes`.
    titles
        The printed names of what a study adds.
    """
    names: dict[str, list[str]] = defaultdict(list)  # that have a change in common
    for name, key, *values in schedule:
        ours, default = (f"{one:,}" if isinstance(one, int) else one for one in values)
        what = key.replace("_lr", "_rate").replace("_", " ")
        change = escape(f"{what} {ours} ({default})").replace("/", r"/\allowbreak{}")
        names[change].append(escape(_title_of(name, titles)))
    changes: dict[str, list[str]] = defaultdict(list)  # that names have in common
    for change, having in names.items():
        changes[" and ".join(having)].append(change)
    if not changes:
        return []
    parts = (f"{having}: {', '.join(found)}" for having, found in changes.items())
    return [
        r"\textbf{Settings depart from the defaults} (in brackets), which are the paper's where "
        f"they are known. {'; '.join(parts)}."
    ]


def _title_of(name: str, titles: Titles) -> str:
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
