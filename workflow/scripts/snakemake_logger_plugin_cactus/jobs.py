"""What a running job says about its progress, and a finished one about its accuracies."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_TAIL: Final = 4096  # bytes
_ATTEMPT: Final = "=== "  # begins the first line of an attempt
_STEP: Final = ": step "


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
        """Return its newest line of progress: step, rate, time left and metrics; else ""."""
        for path in self.logs:
            for line in reversed(_tail(path)):
                if line.startswith(_ATTEMPT):
                    break
                if _STEP in line:
                    return line.partition(": ")[2]
        return ""


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds, from an hour on with hours."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _tail(path: Path) -> list[str]:
    """Return the last lines of a file; none if it cannot be read now."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
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
        if path.name != "summary.json":
            continue
        for one in json.loads(path.read_text(encoding="utf-8")).get("settings", ()):
            text = f"{one['way']}w{one['shot']}s {100 * one['mean']:.1f}"
            by_method.setdefault(one.get("method", ""), []).append(text)
    return [f"{method} {', '.join(texts)}".strip() for method, texts in by_method.items()]
