"""Checks that files, records and stored sources agree with each other."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Final

from cactus.errors import DataError, RecordError
from cactus.provenance.audit.findings import Finding, audited, audited_records
from cactus.provenance.records.consistency import contradictions
from cactus.provenance.records.objects import load
from cactus.provenance.records.plan import plan_path, read_plan
from cactus.provenance.records.reasons import ABSENT, UNREADABLE
from cactus.provenance.records.record import Record, record_path
from cactus.provenance.staleness.places import Obstruction
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.waivers import WAIVERS_FILE
from cactus.stages.whole_run.audit_run import AUDIT

_BLOCK: Final = 512  # bytes, by which a file system counts what a file takes
_TELLING: Final = ("plans", "states", "work", "logs")
_SMALL: Final = 1 << 28  # bytes that are hashed in any case


def check_records(planner: Planner, *, running: bool) -> Iterator[Finding]:
    """Yield jobs without a valid record, and records that contradict themselves."""
    own, file = planner.read(AUDIT), record_path(Path(), AUDIT).as_posix()
    if isinstance(own, RecordError):
        yield Finding("record damaged", file, own.got, AUDIT)
    elif own is None and not running:
        yield Finding("record missing", file, "the run has no audit of its own", AUDIT)
    for one in audited(planner):
        job = one.job
        file = record_path(planner.run_folder, job).relative_to(planner.run_folder).as_posix()
        if one.record is None:
            got = next(reason.new for reason in one.reasons if reason.kind == "record")
            missing = got == "none"
            yield Finding("record missing" if missing else "record damaged", file, got, job)
            continue
        for got in contradictions(one.record):
            yield Finding("record damaged", file, got, job)


def check_places(planner: Planner, found: Iterable[Obstruction]) -> Iterator[Finding]:
    """Yield what is in the place of the run's files and folders."""
    for one in found:
        name = one.path.relative_to(planner.run_folder).as_posix()
        # No number follows from what tells how a job ran.
        job = AUDIT if name.partition("/")[0] in _TELLING else one.job
        yield Finding("obstructed", name, one.got, job)


def check_lists(planner: Planner) -> Iterator[Finding]:
    """Yield plans and a list of accepted changes that cannot be read.

    After a damaged list, none of its changes counts as accepted.
    """
    for job in planner.graph.jobs:
        path = plan_path(planner.run_folder, job)
        if os.path.lexists(path):
            try:
                read_plan(path)
            except (RecordError, DataError) as error:
                name = path.relative_to(planner.run_folder).as_posix()
                yield Finding("plan damaged", name, error.got, job)
    try:
        _ = planner.waivers
    except RecordError as error:
        planner.waivers = []
        yield Finding("list damaged", WAIVERS_FILE, error.got, AUDIT)


def check_results(planner: Planner) -> Iterator[Finding]:
    """Yield results that differ from their record."""
    own = planner.record(AUDIT)  # of the last audit; while an audit runs as a job, there is none
    for record in [*audited_records(planner), *([own] if own else [])]:
        wrong_sizes = list(_wrong_sizes(planner, record))
        yield from (finding for _, finding in wrong_sizes)
        told = {name for name, _ in wrong_sizes}
        for reason in planner.changed_results(record):
            if reason.name in told:
                continue
            if reason.new == ABSENT:
                yield Finding("output missing", reason.name, "no such file", record.job)
            elif reason.new.startswith(UNREADABLE):
                yield Finding("output unreadable", reason.name, reason.new, record.job)
            else:
                recorded = record.entities[reason.name]
                sized = reason.new.endswith(" bytes")
                got = reason.new if sized else f"sha256 {reason.new[:12]}"
                got += f", recorded {recorded.bytes if sized else reason.old[:12]}"
                yield Finding("output changed", reason.name, got, record.job)
        for name in sorted(record.unrecorded):
            yield Finding("record damaged", name, "its record does not list it", record.job)


def _wrong_sizes(planner: Planner, record: Record) -> Iterator[tuple[str, Finding]]:
    """Yield files whose recorded size is false although their recorded hash is right.

    A large file that takes less of the disk than its size has holes, and may take days to read.
    """
    folder = str(planner.run_folder)
    for name, entity in record.entities.items():
        path = f"{folder}/{name}"
        with suppress(OSError):  # reported as missing or unreadable
            found = os.stat(path)  # noqa: PTH116
            whole = found.st_size <= max(_SMALL, found.st_blocks * _BLOCK)
            hashed = found.st_size != entity.bytes and whole
            if hashed and planner.project.tree.cache.state(path) == entity.sha256:
                file = record_path(Path(), record.job).as_posix()
                got = f"{name} has {found.st_size} bytes, recorded {entity.bytes}"
                yield name, Finding("record damaged", file, got, record.job)


def check_inputs(planner: Planner) -> Iterator[Finding]:
    """Yield recorded inputs that differ from what the upstream job recorded."""
    assessments = audited(planner)
    restudied = {
        one.job for one in assessments if any(reason.kind == "config" for reason in one.reasons)
    }
    for one in assessments:
        job, record = one.job, one.record
        if record is None:
            continue
        for upstream in planner.graph.inputs(job):
            maker = planner.record(upstream.job)
            if maker is None:
                continue
            for name in upstream.files:
                made = maker.entities[name].sha256 if name in maker.entities else ABSENT
                used = record.plan.inputs.get(name, ABSENT)
                if used == ABSENT and not restudied.isdisjoint(planner.graph.ancestry(job)):
                    continue  # other keys read other files; the check of staleness names them
                if made != used:
                    got = f"{job.name} used {used[:12]}, {maker.job.name} made {made[:12]}"
                    # If the reader saw the maker's very record, its own is false.
                    seen = (record.links or {}).get(maker.job.name)
                    agree = seen == planner.digest(maker.job)
                    yield Finding("input differs", name, got, job if agree else maker.job)


def check_sources(planner: Planner) -> Iterator[Finding]:
    """Yield stored sources that are lost, or that are not the code in the record."""
    hashes: dict[str, str] = {}
    read = cache(partial(load, planner.run_folder))
    for record in audited_records(planner):
        code, sources, job = record.plan.code, record.activity.sources, record.job
        for name in sorted({*code} - {*sources}):
            yield Finding("source lost", name, "the record lists no text for it", job)
        for name, digest in sources.items():
            try:
                if digest not in hashes:
                    content = read(digest)
                    hashes[digest] = planner.project.tree.cache.text_digest(content)
            except RecordError as error:
                yield Finding("source lost", f"objects/{digest[:2]}/{digest}", error.got, job)
                continue
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                hashes[digest] = f"not Python: {error}"
            if hashes[digest] != code.get(name):
                yield Finding("source differs", name, "the stored text is not what ran", job)
        diff = record.agent.git["diff"] if record.agent.git else None
        for digest in filter(None, [record.agent.packages, diff]):
            try:
                read(digest)
            except RecordError as error:
                yield Finding("source lost", f"objects/{digest[:2]}/{digest}", error.got, job)


def check_staleness(planner: Planner) -> Iterator[Finding]:
    """Yield jobs with stale code, configuration, libraries, data files or raw files."""
    for one in audited(planner):
        for reason in one.reasons:
            if reason.kind in ("code", "config", "library", "file", "raw"):
                yield Finding("stale", one.job.name, str(reason), one.job)
