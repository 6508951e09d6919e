"""One row per job: when, where and from which code it ran, and what it made."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cactus.files import atomic_path
from cactus.provenance.execution.processor import processor_name
from cactus.provenance.records.objects import json_hash
from cactus.provenance.records.record import Record

COLUMNS = (
    "job", "commit", "uncommitted_changes", "started", "ended", "seconds", "attempts", "steps",
    "resumed_from", "threads", "device", "processor", "peak_memory_bytes", "plan_sha256",
    "results", "results_sha256",
)  # fmt: skip


def write_records(records: Sequence[Record], path: Path) -> None:
    """Write one row per record; columns are `COLUMNS`, lists are joined by spaces."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(record_row, records))


def record_row(record: Record) -> dict[str, Any]:
    """Return a record's row.

    ``plan_sha256`` is that of everything that the results depend on: code, keys, inputs and
    libraries. ``results_sha256`` is that of the names and hashes of all results.
    """
    activity, git, device = record.activity, record.agent.git, record.agent.device or {}
    results = {name: entity.sha256 for name, entity in sorted(record.entities.items())}
    return {
        "job": record.job.name,
        "commit": git["commit"] if git else "",
        "uncommitted_changes": git["dirty"] if git else "",
        "started": activity.started,
        "ended": activity.ended,
        "seconds": round(activity.seconds, 1),
        "attempts": max((int(one.get("attempt") or 1) for one in activity.processors), default=1),
        "steps": activity.steps,
        "resumed_from": " ".join(map(str, activity.resumed_from)),
        "threads": activity.threads,
        "device": device.get("gpu") or device.get("device", ""),
        "processor": processor_name(record),
        "peak_memory_bytes": activity.peak_memory_bytes,
        "plan_sha256": json_hash(activity.plan.model_dump(mode="json")),
        "results": " ".join(name.rpartition("/")[2] for name in results),
        "results_sha256": json_hash(results),
    }
