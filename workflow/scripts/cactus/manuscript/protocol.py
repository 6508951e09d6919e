"""The points of the protocol: what the original does, what is done here, and why.

They are read from `config/protocol/*.yaml`. Values of the configuration are never written there,
only the keys that have them: the values come from a study, and so does the verdict of a point whose
original value is known.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from cactus.config.sections.base import BUILT_IN, OVERRIDING, merge

Verdict = Literal["same", "departs", "unpublished", "absent"]
PLACEHOLDER: Final = re.compile(r"\{([a-z_0-9.]+)(?:@(\w+))?\}")
MISSING: Final = object()


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
    part
        What a study must have for the point to matter, if its keys do not name it.
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
    part: str | None = None

    def values(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value here by the names of `per`; without those whose key does not exist."""
        pairs = ((name, first_value(settings, self.keys, name)) for name in self.per if self.keys)
        return {name: value for name, value in pairs if value is not MISSING}

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

    def verdicts(self, settings: Mapping[str, Any]) -> dict[Verdict, list[str]]:
        """Return the names of `per` by verdict."""
        if not self.compares:
            return {self.verdict or "unpublished": self.per}
        found: dict[Verdict, list[str]] = {}
        values = self.values(settings)
        for name in self.per:
            found.setdefault(self._verdict_of(name, values), []).append(name)
        return found

    def _verdict_of(self, name: str, values: Mapping[str, Any]) -> Verdict:
        if name in self.unpublished:
            return "unpublished"
        if name not in self.original_values:
            return "absent"
        return "same" if values.get(name) == self.original_values[name] else "departs"


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


def first_value(settings: Mapping[str, Any], keys: Sequence[str], name: str) -> Any:
    """Return the first value of `keys` that is not null, for a data set or an embedding."""
    values = [value_of(settings, key.replace("{name}", name), name) for key in keys]
    return next((value for value in values if value is not None), values[-1])


def value_of(settings: Mapping[str, Any], key: str, name: str) -> Any:
    """Return a key's value in a study for a data set or an embedding; `MISSING` without the key.

    Parameters
    ----------
    settings
        The study's configuration, as JSON values.
    """
    section: Any = settings
    for part in key.split("."):
        if not isinstance(section, dict):
            return MISSING
        for overrides in OVERRIDING:
            section = merge(section, (section.get(overrides) or {}).get(name, {}))
        section = section.get(part, MISSING)
    return section
