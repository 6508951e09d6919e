"""What a running job says about its progress, and a finished one about its accuracies.

`cactus top` takes this from here too. It imports only the standard library.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

# The rules that only ask for the jobs of others. Snakemake counts them among the jobs; we do not,
# so that a run has as many jobs everywhere.
TARGETS: Final = frozenset(
    {
        *("all", "data", "embeddings", "partitions", "quality", "models", "evaluations", "scores"),
        *("results", "tables", "figures", "audit", "report", "paper"),
    }
)
_TAIL: Final = 4096  # bytes
_METRICS_TAIL: Final = 1 << 16  # a validation comes after many other lines
_ATTEMPT: Final = "=== "  # begins the first line of an attempt
_STEP: Final = ": step "
_LONGEST: Final = 120  # characters of a line of a log


@dataclass(frozen=True)
class Progress:
    """How far a training has come.

    Attributes
    ----------
    step, steps
        Steps done, and steps of the whole training.
    rate
        Steps per second; None before there is one.
    seconds_left
        None before there is a rate.
    metrics
        The newest value of each metric that it has written.
    """

    step: int
    steps: int
    rate: float | None
    seconds_left: float | None
    metrics: dict[str, float]

    def __str__(self) -> str:
        """Return it in the form of a line of the log."""
        rate = "" if self.rate is None else f", {self.rate:.3g} steps/s"
        left = "" if self.seconds_left is None else f", {clock(self.seconds_left)} left"
        return "; ".join([f"step {self.step}/{self.steps}{rate}{left}", *self.named_metrics])

    @property
    def named_metrics(self) -> list[str]:
        """The metrics, each with its name; none if there are none."""
        text = " ".join(f"{name} {value:.4g}" for name, value in self.metrics.items())
        return [text] if text else []


def read_progress(work: Path) -> Progress | None:
    """Return the progress of a training from the files of its job; None if it tells of none.

    Parameters
    ----------
    work
        The job's work folder: its lease has steps and rate, and the folder of the attempt has
        ``metrics.jsonl``.
    """
    lease = _parsed("".join(_tail(work / "lease.json")))
    if not isinstance(lease.get("step"), int) or not isinstance(lease.get("steps"), int):
        return None
    metrics = _metrics(work)
    step = max(lease["step"], int(metrics.pop("step", 0)))
    each = lease.get("seconds_per_step")
    left = each * (lease["steps"] - step) if each else None
    return Progress(step, lease["steps"], 1 / each if each else None, left, metrics)


def _metrics(work: Path) -> dict[str, float]:
    """Return the newest value of each metric that the running attempt has written."""
    try:
        found = [(path.stat().st_mtime_ns, path) for path in work.glob("attempt-*/*/metrics.jsonl")]
    except OSError:  # it has just been moved into place
        return {}
    lines = _tail(max(found)[1], _METRICS_TAIL) if found else []
    return {name: value for line in lines for name, value in _parsed(line).items()}


def _parsed(line: str) -> dict[str, Any]:
    """Return a line of JSON; nothing if it is cut off at either end."""
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@dataclass
class RunningJob:
    """A job since it was handed over to be run.

    Attributes
    ----------
    name
        Stage and cell.
    logs
        Its log files, which need not exist yet.
    outputs
        The files that it will write.
    """

    name: str
    logs: list[Path]
    outputs: list[Path]
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since it was handed over; on a cluster, it may still be queued."""
        return time.monotonic() - self.started

    def progress(self) -> str:
        """Return its step, rate, time left and metrics, or else what its log says last; else ""."""
        found = next(filter(None, map(read_progress, self._work)), None)
        if found:
            return str(found)
        return next(filter(None, map(said_last, self.logs)), "")

    @property
    def _work(self) -> Iterable[Path]:
        """Work folders, by the places of the logs: ``<run>/logs/<job>.log``."""
        for log in self.logs:
            if "logs" in log.parts:
                at = log.parts.index("logs")
                yield Path(*log.parts[:at], "work", *log.with_suffix("").parts[at + 1 :])


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds, from an hour on with hours."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def said_last(log: Path) -> str:
    """Return the newest step in the log of an attempt, else its last line, with its heading."""
    lines: list[str] = []
    for line in reversed(_tail(log)):
        if line.startswith(_ATTEMPT):
            break
        if _STEP in line:
            return line.partition(": ")[2]
        lines.append(line)
    if not lines:
        return ""
    heading = next((line for line in lines if not line.startswith(" ")), "")
    parts = [heading, lines[0].strip()] if lines[0].startswith(" ") else [lines[0]]
    return ", ".join(filter(None, parts))[:_LONGEST]


def _tail(path: Path, size: int = _TAIL) -> list[str]:
    """Return the last lines of a file; none if it cannot be read now."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read().decode(errors="replace").splitlines()
    except OSError:
        return []


def accuracies(outputs: Iterable[Path]) -> list[str]:
    """Return the accuracies that a finished job has measured, in percent.

    Parameters
    ----------
    outputs
        Its files; ``summary.json`` of an evaluation or of baselines has accuracies.

    Returns
    -------
    list
        One text per method, such as "5w1s 72.6, 5w5s 89.1", after the method's name if the job
        measured several.
    """
    by_method: dict[str, list[str]] = {}
    for path in outputs:
        if path.name != "summary.json" or not path.is_file():  # as after --touch
            continue
        for one in json.loads(path.read_text(encoding="utf-8")).get("settings", ()):
            text = f"{one['way']}w{one['shot']}s {100 * one['mean']:.1f}"
            by_method.setdefault(one.get("method", ""), []).append(text)
    return [f"{method} {', '.join(texts)}".strip() for method, texts in by_method.items()]
