"""Why a job is stale."""

import errno
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from cactus.provenance.records.plan import PENDING, Plan

ReasonKind = Literal[
    "record", "config", "code", "library", "file", "input", "raw", "output", "upstream"
]
# Stands for a missing value.
ABSENT: Final = "absent"
# Starts what stands for a file that cannot be read, before the reason in parentheses.
UNREADABLE: Final = "unreadable"
# Where a file or a link in a loop is in the place of a folder, nothing is below it.
_NOTHING_THERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
# What a closed file gives: its own hash, and its content.
_CLOSED: Final = os.strerror(errno.EACCES)
CLOSED: Final = f"{UNREADABLE} ({_CLOSED})"
_LONG: Final = 60  # characters of a list that is shown as a whole


class Reason(NamedTuple):
    """One difference between a job's plan and its record.

    Attributes
    ----------
    kind
        What differs: the record itself (missing or damaged), a configuration key, a source file, a
        library, a data file of the project or one that the configuration declares, an input, a raw
        file, one of the job's own results (changed since the job ran), or an upstream job that must
        run first.
    name
        The key, file, library or job.
    old, new
        The recorded and the current value: hashes of files, JSON of keys.
    """

    kind: ReasonKind
    name: str
    old: str
    new: str

    @property
    def is_closed(self) -> bool:
        """Whether all that is known is that this user may not read a file."""
        return self.new in (_CLOSED, CLOSED)

    def __str__(self) -> str:
        match self.kind:
            case "record" if self.name == "links":
                return self.new
            case "record" if self.new == "none":
                return "it never finished"
            case "record":
                return f"no valid record ({self.name}: {self.new})"
            case "upstream" if self.is_closed:
                return f"files of {self.name} cannot be read"
            case "upstream":
                return f"{self.name} runs first"
            case "library" if self.name == "python":
                return f"Python changed: {self.old} -> {self.new}"
            case "config" | "library":
                old, new = unlike(self.old, self.new)
                return f"{self.kind} {self.name}: {old} -> {new}"
            case "output":
                return f"output {self.name} {result_state(self.new)}"
        if self.new.startswith(UNREADABLE):
            return f"{self.kind} {self.name} is {self.new}"
        state = {self.old: "added", self.new: "removed"}.get(ABSENT, "changed")
        return f"{self.kind} {self.name} {state}"


def is_absent(error: OSError) -> bool:
    """Return whether an error says that there is no such file."""
    return error.errno in _NOTHING_THERE


def result_state(found: str) -> str:
    """Return what is wrong with a result, of which `HashCache.state` found something unexpected."""
    if found == ABSENT:
        return "is missing"
    return f"is {found}" if found.startswith(UNREADABLE) else "changed since it was made"


def plan_differences(old: Plan, new: Plan) -> Iterator[Reason]:
    """Yield the differences between a recorded plan and the current one."""
    # As text, because Python has 1 equal to 1.0 and to True.
    if _text(old.spec) != _text(new.spec):
        yield from _compare("config", _key_values(old), _key_values(new))
    yield from _compare("code", old.code, new.code)
    yield from _compare("library", old.libraries, new.libraries)
    yield from _compare("file", old.files, new.files)
    yield from _compare("file", old.declared, new.declared)
    for reason in _compare("input", old.inputs, new.inputs):
        if reason.new != PENDING:
            yield reason


def _key_values(plan: Plan) -> dict[str, str]:
    """Return each configuration key of a plan with its value as canonical JSON."""
    return {key: _text(value) for key, value in flatten(plan.spec).items()}


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _compare(kind: ReasonKind, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Reason]:
    if old == new:
        return
    for name in sorted({*old, *new}):
        before, now = old.get(name, ABSENT), new.get(name, ABSENT)
        if before != now:
            yield Reason(kind, name, before, now)


def unlike(old: str, new: str) -> tuple[str, str]:
    """Return two values, as JSON; of long lists, the items alone that the other one lacks."""
    if max(len(old), len(new)) <= _LONG:
        return old, new
    try:
        lists = json.loads(old), json.loads(new)
    except ValueError:
        return old, new
    if not all(isinstance(one, list) for one in lists):
        return old, new
    items = [[_text(one) for one in values] for values in lists]
    only = [[one for one in items[at] if one not in items[1 - at]] for at in (0, 1)]
    if not any(only):  # the same in another order
        return old, new
    shown = [f"[{', '.join([*one, '...'])}]" for one in only]
    return shown[0], shown[1]


def flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as a single one with dotted keys."""
    if not isinstance(value, dict) or not value:
        return {prefix: value}
    parts: dict[str, Any] = {}
    for key, inner in value.items():
        parts.update(flatten(inner, f"{prefix}.{key}" if prefix else str(key)))
    return parts
