"""Checks that files, records and stored sources agree with each other."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cactus.errors import DataError, RecordError
from cactus.files import read_json
from cactus.provenance.audit.findings import Finding, audited, audited_records, foreign_records
from cactus.provenance.fingerprint.source_hash import read_source
from cactus.provenance.records.objects import load_text
from cactus.provenance.records.plan import plan_path, read_plan
from cactus.provenance.records.reasons import ABSENT
from cactus.provenance.records.record import Record, record_path
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.waivers import WAIVERS_FILE
from cactus.stages.aggregate_results import RESULTS
from cactus.stages.whole_run.audit_run import AUDIT

# The clocks of two nodes may differ by this much.
_SKEW = timedelta(seconds=5)
# Folders that several jobs share; a stray file in them counts against the table of results.
_SHARED_FOLDERS = ("tables", "figures")


def check_records(planner: Planner) -> Iterator[Finding]:
    """Yield jobs without a valid record, and records with impossible times or wrong seeds."""
    now = datetime.now(UTC)
    own = planner.read(AUDIT)
    if isinstance(own, RecordError):
        file = record_path(Path(), AUDIT).as_posix()
        yield Finding("record damaged", file, own.got, AUDIT)
    for one in audited(planner):
        job = one.job
        file = record_path(planner.run_folder, job).relative_to(planner.run_folder).as_posix()
        if one.record is None:
            got = next(reason.new for reason in one.reasons if reason.kind == "record")
            missing = got == "none"
            yield Finding("record missing" if missing else "record damaged", file, got, job)
            continue
        activity = one.record.activity
        started = datetime.fromisoformat(activity.started)
        ended = datetime.fromisoformat(activity.ended)
        lasted = (ended - started).total_seconds()
        if ended > now + _SKEW:
            yield Finding("clock", file, f"the job ended in the future, {activity.ended}", job)
        elif abs(lasted - activity.seconds) > max(_SKEW.total_seconds(), 0.01 * activity.seconds):
            got = f"{lasted:.0f} s from start to end, but a duration of {activity.seconds:.0f} s"
            yield Finding("clock", file, got, job)
        seed = job.wildcards.get("seed")
        if seed is not None and str(activity.seed) != seed:
            yield Finding("record damaged", file, f"seed {activity.seed} instead of {seed}", job)


def check_lists(planner: Planner) -> Iterator[Finding]:
    """Yield plans and a list of accepted changes that cannot be read.

    After a damaged list, none of its changes counts as accepted.
    """
    for job in planner.graph.jobs:
        path = plan_path(planner.run_folder, job)
        if path.exists():
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
    """Yield results that differ from their record, and files that no record lists."""
    known: set[str] = set()
    own = planner.record(AUDIT)  # of the last audit; while an audit runs as a job, there is none
    for record in [*audited_records(planner), *([own] if own else [])]:
        known.update(record.entities)
        for reason in planner.changed_results(record):
            if reason.new == ABSENT:
                yield Finding("output missing", reason.name, "no such file", record.job)
            else:
                got = f"sha256 {reason.new[:12]}" if reason.new.isalnum() else reason.new
                got += f", recorded {reason.old[:12]}"
                yield Finding("output changed", reason.name, got, record.job)
        yield from _wrong_sizes(planner, record)
        for name in sorted(record.unrecorded):
            yield Finding("record damaged", name, "its record does not list it", record.job)
    yield from _strays(planner, known | _of_other_jobs(planner))


def _wrong_sizes(planner: Planner, record: Record) -> Iterator[Finding]:
    """Yield files whose recorded size is false although their recorded hash is right."""
    changed = {reason.name for reason in planner.changed_results(record)}
    for name, entity in record.entities.items():
        if name not in changed:
            size = (planner.run_folder / name).stat().st_size
            if size != entity.bytes:
                file = record_path(Path(), record.job).as_posix()
                got = f"{name} has {size} bytes, recorded {entity.bytes}"
                yield Finding("record damaged", file, got, record.job)


def _of_other_jobs(planner: Planner) -> set[str]:
    """Return the files of jobs that are not in the study, which a note of the audit counts."""
    names: set[str] = set()
    for path in foreign_records(planner):
        with suppress(DataError):  # a damaged record lists nothing
            content = read_json(path)
            entities = content.get("entities") if isinstance(content, dict) else None
            names.update(entities if isinstance(entities, dict) else ())
    return names


def _strays(planner: Planner, known: set[str]) -> Iterator[Finding]:
    """Yield files in the folders of results that no record lists."""
    owners = {job.folder: job for job in planner.graph.jobs if job.folder}
    owners |= dict.fromkeys(_SHARED_FOLDERS, RESULTS)
    for folder, job in owners.items():
        for path in sorted((planner.run_folder / str(folder)).rglob("*")):
            name = path.relative_to(planner.run_folder).as_posix()
            recorded = job.folder is None or planner.record(job) is not None
            if recorded and path.is_file() and name not in known and not _is_by_product(path):
                yield Finding("stray file", name, "no record lists it", job)


def _is_by_product(path: Path) -> bool:
    """Return whether a file is hidden, or is one that LaTeX leaves beside the tables."""
    suffixes = (".aux", ".log", ".pdf", ".fls", ".fdb_latexmk", ".synctex.gz", ".out")
    return path.name[0] == "." or (path.parent.name == "tables" and path.name.endswith(suffixes))


def check_inputs(planner: Planner) -> Iterator[Finding]:
    """Yield recorded inputs that differ from what the upstream job recorded."""
    for record in audited_records(planner):
        job = record.job
        for upstream in planner.graph.inputs(job):
            maker = planner.record(upstream.job)
            if maker is None:
                continue
            for name in upstream.files:
                made = maker.entities[name].sha256 if name in maker.entities else ABSENT
                used = record.plan.inputs.get(name, ABSENT)
                if made != used:
                    got = f"{job.name} used {used[:12]}, {maker.job.name} made {made[:12]}"
                    yield Finding("input differs", name, got, job)


def check_sources(planner: Planner) -> Iterator[Finding]:
    """Yield stored sources that are lost, or that are not the code in the record."""
    hashes: dict[str, str] = {}
    for record in audited_records(planner):
        code, sources, job = record.plan.code, record.activity.sources, record.job
        for name in sorted({*code} - {*sources}):
            yield Finding("source lost", name, "the record lists no text for it", job)
        for name, digest in sources.items():
            try:
                if digest not in hashes:
                    text = load_text(planner.run_folder, digest)
                    hashes[digest] = read_source(text, "").digest
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
                load_text(planner.run_folder, digest)
            except RecordError as error:
                yield Finding("source lost", f"objects/{digest[:2]}/{digest}", error.got, job)


def check_staleness(planner: Planner) -> Iterator[Finding]:
    """Yield jobs with stale code, configuration, libraries, data files or raw files."""
    for one in audited(planner):
        for reason in one.reasons:
            if reason.kind in ("code", "config", "library", "file", "raw"):
                yield Finding("stale", one.job.name, str(reason), one.job)
