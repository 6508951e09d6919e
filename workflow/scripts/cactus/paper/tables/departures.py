"""The note of a table on what departs from the defaults, which are the paper's."""

from collections import defaultdict
from collections.abc import Sequence

from cactus.config.printed.titles import APART, IMAGES, Titles
from cactus.config.sections.names import LEARNERS
from cactus.paper.latex import escape
from cactus.paper.vocabulary import is_oracle

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
        names[change].append(escape(_title_of(name, key, titles)))
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


def _title_of(name: str, key: str, titles: Titles) -> str:
    """Return the printed name of what has a key of another value than by default."""
    if name.startswith(APART) or is_oracle(name):
        return titles.method(name.removeprefix(APART))
    # An embedding of one's own may have the name of a learner of one's own.
    return titles.learner(name) if name in LEARNERS or key == IMAGES else titles.source(name)
