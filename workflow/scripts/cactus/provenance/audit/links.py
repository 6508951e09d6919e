"""Checks the links between the records of a run, and the signature of its digest."""

from collections.abc import Iterator

from cactus.errors import RecordError, counted
from cactus.provenance.audit.findings import Finding, audited_records
from cactus.provenance.chain.seal import read_seal
from cactus.provenance.records.links import (
    SEAL,
    current_links,
    linked_jobs,
    replaced_since_audit,
    run_digest,
)
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job
from cactus.stages.whole_run.audit_run import AUDIT


def check_links(planner: Planner, *, running: bool) -> Iterator[Finding]:
    """Yield records that are not those that other jobs read; `running` says: within the audit."""
    readers: dict[Job, list[str]] = {}
    for record in audited_records(planner):
        if record.links is None:
            continue  # a note counts those
        expected = current_links(planner, record.job)
        for job in linked_jobs(planner.graph, record.job):
            if job.name in expected and record.links.get(job.name) != expected[job.name]:
                readers.setdefault(job, []).append(record.job.name)
    replaced = {} if running else replaced_since_audit(planner)
    for job in planner.graph.jobs:
        if job in readers:
            more = f" and {counted(len(readers[job]) - 1, 'job')} more" if readers[job][1:] else ""
            yield _broken(job, f"not the record that {readers[job][0]}{more} read")
        elif replaced.get(job) is False:
            yield _broken(job, "not the record that the last audit read, and no later one")
    later = [job.name for job, explained in replaced.items() if explained]
    if later:
        got = f"jobs ran after the audit: {', '.join(later[:3])}{', ...' * (len(later) > 3)}"
        yield _broken(AUDIT, got)


def _broken(job: Job, got: str) -> Finding:
    return Finding("link broken", f"records/{job.name}.json", got, job)


def link_notes(planner: Planner) -> Iterator[str]:
    """Yield what a reader should know about the links and the signature of a run."""
    records = audited_records(planner)
    unlinked = sum(record.links is None for record in records)
    if unlinked:
        yield (
            f"{unlinked} of {len(records)} records are of a version that did not link records, so "
            "that edits of them are harder to find"
        )
    try:
        seal = read_seal(planner.run_folder)
    except RecordError:
        return
    if seal is not None:
        yield seal.note


def check_seal(planner: Planner) -> Iterator[Finding]:
    """Yield a signature that is not valid, or of another digest than the run's."""
    try:
        seal = read_seal(planner.run_folder)
    except RecordError as error:
        yield _unsealed(error.got)
        return
    found = run_digest(planner)
    if seal is not None and seal.digest != found:
        got = f"the signature of {seal.digest[:12]}, but the run's digest is {found[:12]}"
        yield _unsealed(got)


def _unsealed(got: str) -> Finding:
    """Return a finding that names the ways that need a copy or a key; its fix needs neither."""
    ways = "restore it, sign again with `cactus seal`, or remove it"
    return Finding("seal broken", SEAL, f"{got} ({ways})", AUDIT)


def check_expected(planner: Planner, expected: str) -> Iterator[Finding]:
    """Yield that the run's digest is not the expected one, of which the start is enough."""
    found = run_digest(planner)
    if not found.startswith(expected.lower()):
        got = f"the run's digest is {found}, expected {expected}"
        yield Finding("digest differs", f"records/{AUDIT.name}.json", got, AUDIT)
