"""Whether the records of a run that read a job's record read the one that is there now."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cactus.provenance.records.record import Record, record_files


class _Reading(NamedTuple):
    reader: str
    digest: str
    ended: datetime


class Readers:
    """The links of other runs, which are read when they are first asked for."""

    def __init__(self) -> None:
        self._runs: dict[Path, dict[str, list[_Reading]]] = {}

    def disown(self, run_folder: Path, record: Record, digest: str) -> Iterator[str]:
        """Yield the jobs that read another record than that of this digest, and ended later.

        Jobs that ended earlier read what was there before the job ran again. A record that is
        damaged, or whose version did not link records, tells nothing.
        """
        if run_folder not in self._runs:
            self._runs[run_folder] = _readings(run_folder)
        for one in self._runs[run_folder].get(record.job.name, ()):
            if one.digest != digest and one.ended >= datetime.fromisoformat(record.activity.ended):
                yield one.reader


def _readings(run_folder: Path) -> dict[str, list[_Reading]]:
    """Return what each job's record was read as, from all records of a run."""
    found: dict[str, list[_Reading]] = defaultdict(list)
    folder = run_folder / "records"
    for path in record_files(run_folder):
        reader = path.relative_to(folder).with_suffix("").as_posix()
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            content = json.loads(path.read_bytes())
            ended = datetime.fromisoformat(content["activity"]["ended"])
            if ended.tzinfo is None:
                continue
            for name, digest in (content.get("links") or {}).items():
                found[name].append(_Reading(reader, digest, ended))
    return found
