"""Why a job is stale."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from cactus.provenance.records.plan import PENDING, Plan

ReasonKind = Literal[
    "record", "config", "code", "library", "file", "input", "raw", "output", "upstream"
]
# The value of what is not there.
ABSENT: Final = "absent"


class Reason(NamedTuple):
    """One difference between what a job has to be and what its record says it was.

    Attributes
    ----------
    kind
        What differs: the record itself (missing or damaged), a key of the configuration, a source
        file, a library, a data file of the project, an input, a raw file, one of the job's own
        results (changed since), or a job that runs before it.
    name
        The key, file, library or job.
    old, new
        The recorded value and the one now: hashes of files, JSON of keys.
    """

    kind: ReasonKind
    name: str
    old: str
    new: str

    def __str__(self) -> str:
        match self.kind:
            case "record":
                return f"no valid record ({self.new})"
            case "upstream":
                return f"{self.name} runs first"
            case "config" | "library":
                return f"{self.kind} {self.name}: {self.old} -> {self.new}"
            case "output":
                state = "missing" if self.new == ABSENT else "changed since it was made"
                return f"output {self.name} {state}"
        state = {self.old: "added", self.new: "removed"}.get(ABSENT, "changed")
        return f"{self.kind} {self.name} {state}"


def differences(old: Plan, new: Plan) -> Iterator[Reason]:
    """Yield what differs between a recorded plan and the one that holds now."""
    texts = {key: _text(value) for key, value in flat(old.spec).items()}
    now = {key: _text(value) for key, value in flat(new.spec).items()}
    yield from _compared("config", texts, now)
    yield from _compared("code", old.code, new.code)
    yield from _compared("library", old.libraries, new.libraries)
    yield from _compared("file", old.files, new.files)
    for reason in _compared("input", old.inputs, new.inputs):
        if reason.new != PENDING:
            yield reason


def _text(value: Any) -> str:
    """Return a value as JSON, whatever the order of its keys."""
    return json.dumps(value, sort_keys=True)


def _compared(kind: ReasonKind, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Reason]:
    for name in sorted({*old, *new}):
        before, now = old.get(name, ABSENT), new.get(name, ABSENT)
        if before != now:
            yield Reason(kind, name, before, now)


def flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, with dotted keys."""
    if not isinstance(value, dict) or not value:
        return {prefix: value}
    parts: dict[str, Any] = {}
    for key, inner in value.items():
        parts.update(flat(inner, f"{prefix}.{key}" if prefix else str(key)))
    return parts
