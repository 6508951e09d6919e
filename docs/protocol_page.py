"""Write `docs/protocol.md` from `config/protocol`, the configuration and the paper's numbers.

Run it by `make config-docs`, or by `python -m docs.protocol_page`.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cactus.config.sections.base import BUILT_IN
from cactus.files import write_text
from cactus.manuscript.protocol import Point, Section, Verdict
from cactus.manuscript.values import by_name, filled_in, names_of
from cactus.paper.published import STATUSES, read_published
from docs.protocol_points import EVIDENCE, ROOT, SETTINGS, mark_of, read_sections

PAGE: Final = Path(__file__).parent / "protocol.md"
_VERDICTS: Final[dict[Verdict, str]] = {
    "same": "as the original",
    "departs": "**departs**",
    "unpublished": "**not published**, our choice",
    "absent": "not in the paper",
}
_HEADER: Final = """\
# Protocol, and where it departs from the paper

Generated from `config/protocol/*.yaml` and the configuration by `make config-docs`; do not edit it
by hand. The column "here" has the values of `config/config.yaml`, the paper's study, with their
keys in backticks; [config/README.md](../config/README.md) says more about each key. Where the
original has a value for a key, the verdict compares the two, and a departure without a reason is an
error. Tests in parentheses prove what the code does.

"The original" is the paper (arXiv 1810.02334) with its code (github.com/kylehkhsu/cactus-maml at
b9319fe, github.com/kylehkhsu/cactus-protonets at da47403). In parentheses stands how we know:

"""


def page(sections: Sequence[Section]) -> str:
    """Return the page in Markdown."""
    lines = [f"- *{mark}*: {meaning}." for mark, meaning in EVIDENCE.items()]
    lines += ["", *_summary(sections), ""]
    for section in sections:
        lines += [f"## {section.title}", ""]
        lines += (
            [filled_in(SETTINGS, section.intro.strip(), list(BUILT_IN)), ""]
            if section.intro
            else []
        )
        if section.points:
            lines += ["| point | the original | here | verdict |", "|---|---|---|---|"]
            lines += [*map(_row, section.points), ""]
        for group in section.own_keys:
            lines += [f"- {group.why.strip()}: {', '.join(f'`{key}`' for key in group.keys)}"]
        lines += [""] if section.own_keys else []
    return _HEADER + "\n".join([*lines, *_published()]) + "\n"


def _row(point: Point) -> str:
    cells = point.point, _original(point), _here(point), _verdict(point)
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _original(point: Point) -> str:
    text = point.says or by_name(point.original_values, point.per)
    also = f"; {point.also}" if point.also else ""
    differs = f"; *but* {point.differs}" if point.differs else ""
    evidence = ", ".join(map(_evidence, point.evidence))
    text, more = (filled_in(SETTINGS, one, point.per) for one in (text, also + differs))
    return f"{text} ({evidence}){more}"


def _evidence(text: str) -> str:
    """Return a piece of evidence with a colon between its mark and its place."""
    mark = mark_of(text) or ""
    place = text.removeprefix(mark).strip()
    return text if mark == "issue" or not place else f"{mark}: {place}"


def _here(point: Point) -> str:
    parts = []
    if point.keys:
        keys = " or ".join(f"`{key.replace('{name}', '<name>')}`" for key in point.keys)
        parts.append(f"{by_name(point.values(SETTINGS), point.per)}: {keys}")
    if point.here:
        parts.append(filled_in(SETTINGS, point.here.strip().rstrip("."), point.per))
    return "; ".join(parts)


def _verdict(point: Point) -> str:
    verdicts = point.verdicts(SETTINGS)
    said = [
        text + ("" if len(verdicts) == 1 else f": {names_of(verdicts[verdict], point.per)}")
        for verdict, text in _VERDICTS.items()
        if verdict in verdicts
    ]
    reason = f". {filled_in(SETTINGS, point.reason.strip(), point.per)}" if point.reason else ""
    files = dict.fromkeys(test.partition("::")[0] for test in point.tests)
    tests = f" ({', '.join(f'`{file}`' for file in files)})" if files else ""
    return "; ".join(said) + reason + tests


def _summary(sections: Sequence[Section]) -> Iterator[str]:
    """Yield the number of points, and lists of departures, silence and contradiction."""
    points = [(point, section.title) for section in sections for point in section.points]
    departs, silent = (
        [one for one in points if verdict in one[0].verdicts(SETTINGS)]
        for verdict in ("departs", "unpublished")
    )
    yield (
        f"Of {len(points)} points, these {len(departs)} depart from the original, on at least one "
        "data set:"
    )
    yield ""
    yield from (f"- {point.point} ([{title}](#{_anchor(title)}))" for point, title in departs)
    yield ""
    yield (
        f"On {len(silent)} points, no source says what the original does on at least one data "
        f"set: {'; '.join(point.point for point, _ in silent)}."
    )
    yield ""
    differing = [point.point for point, _ in points if point.differs]
    yield f"On {len(differing)} points, sources contradict each other: {'; '.join(differing)}."


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def _published() -> Iterator[str]:
    """Yield how far the published numbers could be checked."""
    yield "## Published numbers"
    yield ""
    yield (
        "`config/paper_results.csv` holds the published accuracies. Not all could be checked "
        "against a copy of the paper. *Verified* ones were read in a source that its row names, "
        "*recalled* ones were not, and *unavailable* ones are known to exist, without their value; "
        "tables mark the latter two. The sources are the slides of UMTRA, which reprint the main "
        "results of Omniglot and miniImageNet, and the poster of the authors, for CelebA and the "
        "ablations. MNIST's numbers are in Table 7, by a comment in a script."
    )
    yield ""
    yield f"| data set | {' | '.join(STATUSES)} |"
    yield f"|---|{'---|' * len(STATUSES)}"
    frame = read_published(ROOT / "config/paper_results.csv")
    for dataset, (title, *_) in BUILT_IN.items():
        found = frame[frame["dataset"] == dataset]["paper_status"].value_counts()
        yield f"| {title} | {' | '.join(str(found.get(status, 0)) for status in STATUSES)} |"


def main() -> None:
    """Write the page, or say what does not fit."""
    try:
        sections = read_sections()
    except ValueError as error:
        raise SystemExit(str(error)) from None
    write_text(PAGE, page(sections))


if __name__ == "__main__":
    main()
