"""How much work a job is, counted from its keys, and which jobs' times can be compared."""

import json
from typing import Any, Final

from cactus.config.sections.source import Source
from cactus.errors import ConfigError
from cactus.provenance.records.objects import json_hash
from cactus.provenance.records.reasons import flatten
from cactus.stages.base import Job

# Keys that no stage's time depends on.
_FREE: Final = {"seed", "per_dataset", "log_every"}


def counted_work(job: Job, spec: dict[str, Any]) -> float:
    """Return the work of a job, to which its time is proportional; 1 if its stage counts none.

    Parameters
    ----------
    spec
        The keys of the configuration that reach the job.
    """
    found = (_value(spec, name) for name in job.definition.work)
    counts = [float(value) for value in found if isinstance(value, int)]
    return sum(counts) if counts else 1.0


def comparable(job: Job, spec: dict[str, Any], data: list[dict[str, Any]]) -> str:
    """Return a text that is the same for jobs whose times per work can be compared.

    Integers, words and switches of the keys shape the networks and batches of a job, so they have
    to be the same; learning rates and other real numbers need not. A local stage takes seconds,
    whatever its keys.

    Parameters
    ----------
    spec
        The keys of the configuration that reach the job.
    data
        Those of the jobs that prepare its data set.
    """
    stage = job.definition
    return stage.name if stage.local else f"{stage.name}:{json_hash(_shapes(job, spec, data))}"


def alike(job: Job, *, drawn: bool) -> str:
    """Return a text that is the same for jobs that do the same, perhaps in other sizes.

    They are of one stage, data set, method and kind of source. Their times tell each other's only
    roughly.

    Parameters
    ----------
    drawn
        Whether the data are synthetic, which are far smaller than the real ones.
    """
    parts = {name: value for name, value in job.wildcards.items() if name != "seed"}
    if "source" in parts:
        kind = _kind(parts["source"])
        # A model's time depends on whether it was trained, not on where its tasks came from.
        trained = "source" in job.definition.same_time and kind != "scratch"
        parts["source"] = "trained" if trained else kind
    return "/".join([job.stage, *parts.values(), "drawn" if drawn else "real"])


def sizes(
    job: Job, spec: dict[str, Any], data: list[dict[str, Any]]
) -> tuple[tuple[str, str], ...]:
    """Return the keys that have to be the same for jobs that compare, with their values as JSON."""
    shapes = _shapes(job, spec, data)
    pairs = [pair for one in (shapes["spec"], *shapes["data"]) for pair in flatten(one).items()]
    return tuple((key, json.dumps(value, sort_keys=True)) for key, value in dict(pairs).items())


def _kind(source: str) -> str:
    """Return the kind of a source of tasks; the name itself in a record of another version."""
    try:
        return Source.parse(source).kind
    except ConfigError:
        return source


def _shapes(job: Job, spec: dict[str, Any], data: list[dict[str, Any]]) -> dict[str, Any]:
    skipped = frozenset({*job.definition.work, *job.definition.same_time})
    return {"spec": _shape(spec, skipped), "data": [_shape(one, frozenset()) for one in data]}


def _value(spec: dict[str, Any], name: str) -> Any:
    found: Any = spec
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _shape(value: Any, skipped: frozenset[str], name: str = "") -> Any:
    """Return JSON values without real numbers and without the keys that do not matter."""
    if isinstance(value, dict):
        inner = {key: f"{name}.{key}" if name else key for key in value}
        return {
            key: _shape(value[key], skipped, full)
            for key, full in inner.items()
            if key not in _FREE and full not in skipped
        }
    if isinstance(value, list):
        return [_shape(one, skipped, name) for one in value]
    return None if isinstance(value, float) else value
