"""Puts back stored sources that were lost or edited, as far as the project still has them."""

import hashlib
from pathlib import Path

from cactus.errors import RecordError
from cactus.files import read_bytes
from cactus.provenance.records.objects import load, store
from cactus.provenance.staleness.planner import Planner


def lost_sources(planner: Planner) -> dict[str, Path]:
    """Return the project's files whose stored text cannot be read, by its sha256."""
    named = {
        digest: name
        for record in planner.records()
        for name, digest in record.activity.sources.items()
    }
    found = {}
    for digest, name in named.items():
        try:
            load(planner.run_folder, digest)
        except RecordError:
            path = planner.project.root / "workflow" / "scripts" / name
            if path.is_file() and hashlib.sha256(read_bytes(path)).hexdigest() == digest:
                found[digest] = path
    return found


def restore_sources(planner: Planner) -> int:
    """Store them again; return how many there were."""
    found = lost_sources(planner)
    for path in found.values():
        store(planner.run_folder, read_bytes(path))
    return len(found)
