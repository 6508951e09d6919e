"""The points of the protocol: what the original does, what is done here, and why.

They are read from `docs/protocol/*.yaml`. Values of the configuration are never written there, only
the keys that have them: the values come from the models, and so does the verdict of a point whose
original value is known.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from cactus.config.load import all_keys, read_yaml
from cactus.config.models import Config
from cactus.config.sections.base import BUILT_IN, OVERRIDING, merge
from docs.config_reference import PAPER

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = Path(__file__).parent / "protocol"
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
Verdict = Literal["same", "departs", "unpublished", "absent"]
PLACEHOLDER: Final = re.compile(r"\{([a-z_0-9.]+)(?:@(\w+))?\}")
_MISSING: Final = object()


class Point(BaseModel):
    """One point of the protocol.

    Attributes
    ----------
    point
        What it is about.
    original
        The original's value, or a mapping with one for each name of `per`; the paper does not have
        what is left out. The verdict follows from it.
    says
        What the original does, if that is no value to compare with a key.
    verdict
        Beside `says`: whether we do the same.
    evidence
        Where that is from: marks of `EVIDENCE`, each perhaps with a place after it.
    also
        What else is known of it.
    differs
        What another source says instead.
    key
        The key that answers the point; of several, the first whose value is not null. ``{name}``
        in it stands for the names of `per`.
    per
        The data sets or embeddings whose values are meant.
    unpublished
        Those of `per` for which no source has a value.
    here
        What we do, if no key says it, or beside the key.
    reason
        Why we depart, or why we chose what is not published.
    tests
        Tests that prove it: files, or ``file::function``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    point: str
    original: Any = None
    says: str | None = None
    verdict: Literal["same", "departs", "unpublished"] | None = None
    evidence: list[str] = Field(min_length=1)
    also: str | None = None
    differs: str | None = None
    key: str | list[str] | None = None
    per: list[str] = list(BUILT_IN)
    unpublished: list[str] = []
    here: str | None = None
    reason: str | None = None
    tests: list[str] = []

    @cached_property
    def values(self) -> dict[str, Any]:
        """The value here by the names of `per`; without those whose key does not exist."""
        found = {name: first_value(self.keys, name) for name in self.per} if self.keys else {}
        return {name: value for name, value in found.items() if value is not _MISSING}

    @property
    def keys(self) -> list[str]:
        """The keys that answer the point."""
        return [self.key] if isinstance(self.key, str) else self.key or []

    @property
    def texts(self) -> tuple[str | None, ...]:
        """What may have keys in braces, whose values are filled in."""
        return self.says, self.also, self.differs, self.here, self.reason

    @property
    def compares(self) -> bool:
        """Whether the verdict follows from a value of the original."""
        return "original" in self.model_fields_set

    @property
    def original_values(self) -> dict[str, Any]:
        """The original's values by the names of `per`, as far as the paper has them."""
        by_name = isinstance(self.original, dict) and set(self.original) <= set(self.per)
        given = self.original if by_name else dict.fromkeys(self.per, self.original)
        return {name: value for name, value in given.items() if name not in self.unpublished}

    @property
    def verdicts(self) -> dict[Verdict, list[str]]:
        """The names of `per` by verdict."""
        if not self.compares:
            return {self.verdict or "unpublished": self.per}
        found: dict[Verdict, list[str]] = {}
        for name in self.per:
            found.setdefault(self._verdict_of(name), []).append(name)
        return found

    def _verdict_of(self, name: str) -> Verdict:
        if name in self.unpublished:
            return "unpublished"
        if name not in self.original_values:
            return "absent"
        return "same" if self.values.get(name) == self.original_values[name] else "departs"

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the point."""
        if self.compares == (self.says is not None):
            yield "give either `original` or `says`"
        elif self.compares and (self.verdict is not None or not self.keys):
            yield "`original` is compared with a `key`, which gives the verdict"
        elif not self.compares and self.verdict is None:
            yield "`says` needs a `verdict`"
        if not self.keys and not (self.here and self.tests):
            yield "without a `key`, say what is done `here` and name `tests`"
        for name in self.per if self.keys else []:
            if name not in self.values:
                yield f"no key {' or '.join(self.keys)} for {name}"
        if isinstance(self.original, dict):
            unknown = sorted(set(self.original) - set(self.per))
            if unknown and len(unknown) < len(self.original):
                yield f"`original` has {unknown}, which are not in `per`"
        needed = {"departs", "unpublished"} & set(self.verdicts)
        if needed and not self.reason:
            which = {one: names for one, names in self.verdicts.items() if one in needed}
            yield f"a reason is missing: {which}"
        elif self.reason and not needed:
            yield "it has a reason, but departs no longer"
        yield from (f"unknown evidence {one!r}" for one in self.evidence if not mark_of(one))
        yield from (f"the test {one} does not exist" for one in self.tests if not test_exists(one))
        for text in filter(None, self.texts):
            for key, name in PLACEHOLDER.findall(text):
                if first_value([key], name or self.per[0]) is _MISSING:
                    yield f"no key {key}"


class OwnKeys(BaseModel):
    """Keys that answer no point, because the original has nothing of the kind, and what they do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: list[str]
    why: str


class Section(BaseModel):
    """A part of the protocol."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    intro: str = ""
    points: list[Point] = []
    own_keys: list[OwnKeys] = []


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
    wrong = [f"{point.point}: {problem}" for point in points for problem in point.problems()]
    wrong += [f"{name}: two points have this name" for name in {*names} if names.count(name) > 1]
    wrong += wrong_keys(sections, set(all_keys(Config)))
    if wrong:
        raise ValueError("\n".join(["docs/protocol does not fit the code:", *wrong]))
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


def first_value(keys: Sequence[str], name: str) -> Any:
    """Return the first value of `keys` that is not null, for a data set or an embedding."""
    values = [value_of(key.replace("{name}", name), name) for key in keys]
    return next((value for value in values if value is not None), values[-1])


def value_of(key: str, name: str) -> Any:
    """Return a key's default in the paper's study for a data set or an embedding."""
    section: Any = PAPER.model_dump(mode="json")
    for part in key.split("."):
        if not isinstance(section, dict):
            return _MISSING
        for overrides in OVERRIDING:
            section = merge(section, (section.get(overrides) or {}).get(name, {}))
        section = section.get(part, _MISSING)
    return section


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
