"""Links records anew after some of them were replaced while a run was brought up to date.

A job is not run again if those that it reads from made the same bytes again. The links to their
new records then have to follow. Only a record that a job of this workflow has just written, and of
which there is a backup therefore, may change the links to it: an edited one has none.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from cactus.errors import RecordError
from cactus.provenance.execution.backups import backup_folder, drop_backups
from cactus.provenance.records.links import linked_jobs
from cactus.provenance.records.record import (
    Record,
    read_record,
    read_sealed_record,
    record_digest,
    write_record,
)
from cactus.stages.base import Job
from cactus.stages.whole_run.audit_run import AUDIT

if TYPE_CHECKING:
    from cactus.graph import Graph

_LINKS: Final = "links"


def relink(run_folder: Path, graph: "Graph") -> list[Job]:
    """Let the records of a run link to those that its jobs have just replaced; return whose did.

    The records that others link to are written last. So if this is cut short, the next call
    finishes it.
    """
    new: dict[Job, tuple[Record, str]] = {}
    replaced: set[Job] = set()
    relinked: list[Job] = []
    for job in graph.jobs:
        found = _read(run_folder, job)
        if found is None:
            continue
        record, digest = found
        # An audit links to what it has read, and follows nothing.
        upstream = [one for one in linked_jobs(graph, job) if one in new] if job != AUDIT else []
        links = {one.name: new[one][1] for one in upstream}
        old = record.links
        changed = [
            one for one in upstream if old is not None and old.get(one.name) != links[one.name]
        ]
        if changed and replaced.issuperset(changed):
            record = record.model_copy(update={_LINKS: {**(old or {}), **links}})
            relinked.append(job)
        if job in relinked or _was_just_made(run_folder, record):
            replaced.add(job)
        new[job] = record, record_digest(record) if job in relinked else digest
    for job in reversed(relinked):
        write_record(run_folder, new[job][0])
    return relinked


def accept_results(run_folder: Path, graph: "Graph") -> None:
    """Link to the records that a workflow wrote, and drop their backups: its results are final."""
    relink(run_folder, graph)
    drop_backups(run_folder)


def _read(run_folder: Path, job: Job) -> tuple[Record, str] | None:
    try:
        return read_sealed_record(run_folder, job)
    except RecordError:
        return None  # the audit reports it


def _was_just_made(run_folder: Path, record: Record) -> bool:
    """Return whether there is a backup of a record, apart from links that changed since."""
    try:
        made = read_record(backup_folder(run_folder, record.job), record.job)
    except RecordError:
        return False
    return made is not None and made.model_copy(update={_LINKS: record.links}) == record
