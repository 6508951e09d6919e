"""Checks that the points of the protocol fit the code: keys, tests and reasons.

`cactus.manuscript.protocol` says what a point is.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cactus.config.load import all_keys, read_yaml
from cactus.config.models import Config
from cactus.config.sections.base import OVERRIDING
from cactus.manuscript.protocol import MISSING, PLACEHOLDER, Point, Section, first_value
from docs.config_reference import PAPER

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "config/protocol"
# The paper's study, which the page shows.
SETTINGS: Final = PAPER.model_dump(mode="json")
# Sections of the configuration of which every key is on the page.
COMPLETE: Final = ("partitions", "learners", "evaluation", "baselines")
# The marks of evidence, and what they mean.
EVIDENCE: Final = {
    "code": "read in the original code, cactus-maml or cactus-protonets",
    "table": "the paper's tables of hyperparameters",
    "algorithm": "the paper's Algorithm 1, or the authors' poster",
    "notes": "a reader's notes on the paper",
    "issue": "an issue of github.com/kylehkhsu/cactus-maml, by its number",
    "upstream": "the default in the code of an embedding's authors, which CACTUs may have changed",
    "recalled": "recalled from the paper and not found in a source",
    "not found": "in none of the sources",
}


def read_sections(folder: Path = FOLDER) -> list[Section]:
    """Return the protocol's sections in the order of their files.

    Raises
    ------
    ValueError
        A point departs without a reason, has a reason but does not depart, or names a key or a test
        that does not exist; or a key that decides results is in no point.
    """
    sections = [Section.model_validate(read_yaml(path)) for path in sorted(folder.glob("*.yaml"))]
    points = [point for section in sections for point in section.points]
    names = [point.point for point in points]
    wrong = [f"{point.point}: {problem}" for point in points for problem in problems(point)]
    wrong += [f"{name}: two points have this name" for name in {*names} if names.count(name) > 1]
    wrong += wrong_keys(sections, set(all_keys(Config)))
    if wrong:
        raise ValueError("\n".join(["config/protocol does not fit the code:", *wrong]))
    return sections


def wrong_keys(sections: Sequence[Section], known: set[str]) -> Iterator[str]:
    """Yield the keys that should be on the page and are not, and those that no longer exist."""
    groups = {key for key in known for other in known if other.startswith(f"{key}.")}
    named = {key for section in sections for point in section.points for key in point.keys}
    own = {key for section in sections for group in section.own_keys for key in group.keys}
    own_groups = tuple(f"{key}." for key in own & groups)
    for key in sorted(
        key for key in known - groups - named - own if not key.startswith(own_groups)
    ):
        if key.split(".")[0] in COMPLETE and key.rpartition(".")[2] not in OVERRIDING:
            yield f"{key}: it answers no point; add one, or the key to `own_keys`"
    yield from (f"{key}: there is no such key for `own_keys`" for key in sorted(own - known))
    yield from (f"{key}: it is in `own_keys` and in a point" for key in sorted(own & named))


def problems(point: Point) -> Iterator[str]:
    """Yield what is wrong with the point."""
    values, verdicts = point.values(SETTINGS), point.verdicts(SETTINGS)
    if point.compares == (point.says is not None):
        yield "give either `original` or `says`"
    elif point.compares and (point.verdict is not None or not point.keys):
        yield "`original` is compared with a `key`, which gives the verdict"
    elif not point.compares and point.verdict is None:
        yield "`says` needs a `verdict`"
    if not point.keys and not (point.here and point.tests):
        yield "without a `key`, say what is done `here` and name `tests`"
    for name in point.per if point.keys else []:
        if name not in values:
            yield f"no key {' or '.join(point.keys)} for {name}"
    if isinstance(point.original, dict):
        unknown = sorted(set(point.original) - set(point.per))
        if unknown and len(unknown) < len(point.original):
            yield f"`original` has {unknown}, which are not in `per`"
    needed = {"departs", "unpublished"} & set(verdicts)
    if needed and not point.reason:
        which = {one: names for one, names in verdicts.items() if one in needed}
        yield f"a reason is missing: {which}"
    elif point.reason and not needed:
        yield "it has a reason, but departs no longer"
    yield from (f"unknown evidence {one!r}" for one in point.evidence if not mark_of(one))
    yield from (f"the test {one} does not exist" for one in point.tests if not test_exists(one))
    for text in filter(None, point.texts):
        for key, name in PLACEHOLDER.findall(text):
            if first_value(SETTINGS, [key], name or point.per[0]) is MISSING:
                yield f"no key {key}"


def mark_of(evidence: str) -> str | None:
    """Return the mark that a piece of evidence starts with."""
    return next((mark for mark in EVIDENCE if f"{evidence} ".startswith(f"{mark} ")), None)


def test_exists(test: str) -> bool:
    """Return whether there is a test file, with the function if one is named."""
    name, _, function = test.partition("::")
    path = ROOT / name
    if not path.is_file():
        return False
    return not function or f"\ndef {function}(" in path.read_text(encoding="utf-8")
