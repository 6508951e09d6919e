"""The links between the records of a run, which make them a Merkle graph."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cactus.errors import RecordError
from cactus.provenance.records.objects import json_hash
from cactus.provenance.records.record import read_sealed_record
from cactus.stages.base import Job
from cactus.stages.whole_run.audit_run import AUDIT

if TYPE_CHECKING:  # jobs import this module, and need neither
    from cactus.graph import Graph
    from cactus.provenance.records.run_reader import RunReader

# The run's digest if it is signed, and the signature.
DIGEST: Final = "digest.txt"
SEAL: Final = "digest.txt.sig"


def linked_jobs(graph: "Graph", job: Job) -> list[Job]:
    """Return the jobs whose records a record links to: of its inputs; of an audit, all before."""
    if job == AUDIT:
        return graph.ancestry(AUDIT)[:-1]
    return list(dict.fromkeys(upstream.job for upstream in graph.inputs(job)))


def read_links(run_folder: Path, upstream: Iterable[str]) -> dict[str, str]:
    """Return the digests of the records of some jobs, by their names.

    Raises
    ------
    RecordError
        One of them has no valid record.
    """
    links = {}
    for name in upstream:
        found = read_sealed_record(run_folder, Job(*name.partition("/")[::2]))
        if found is None:
            raise RecordError(
                "The record of an upstream job is missing.",
                where=str(run_folder),
                got=name,
                fix="run the workflow again",
            )
        links[name] = found[1]
    return links


def current_links(run: "RunReader", job: Job) -> dict[str, str]:
    """Return the digests of the valid records that a job's record has to link to."""
    digests = ((one.name, run.digest(one)) for one in linked_jobs(run.graph, job))
    return {name: digest for name, digest in digests if digest is not None}


def run_digest(run: "RunReader") -> str:
    """Return the digest of a run: of the digests of all records that its audit reads."""
    return json_hash(current_links(run, AUDIT))


def replaced_since_audit(run: "RunReader") -> dict[Job, bool]:
    """Return the jobs whose records are no longer those that the run's audit read.

    For each, tell whether that follows from a job that ended after the audit: the job itself, or
    one upstream of it.
    """
    audit = run.record(AUDIT)
    if audit is None or audit.links is None:
        return {}
    ended = datetime.fromisoformat(audit.activity.ended)
    found: dict[Job, bool] = {}
    for job in linked_jobs(run.graph, AUDIT):
        record = run.record(job)
        if record is not None and run.digest(job) != audit.links.get(job.name):
            later = datetime.fromisoformat(record.activity.ended) > ended
            found[job] = later or any(found.get(one) for one in linked_jobs(run.graph, job))
    return found
