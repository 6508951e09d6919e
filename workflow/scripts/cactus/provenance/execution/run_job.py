"""Runs a job: checks that it is what was planned, runs it, and publishes its results."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cactus.provenance.execution.attempts import failure_note, next_attempt, work_folder
from cactus.provenance.execution.checks import (
    check_code,
    check_declared,
    check_imports,
    check_project_files,
    checked_inputs,
)
from cactus.provenance.execution.environment import check_libraries, log_header
from cactus.provenance.execution.lease import Lease
from cactus.provenance.execution.logs import drop_log, keep_log
from cactus.provenance.execution.processor import note_processor, unused_gpu
from cactus.provenance.execution.promises import check_made, check_read
from cactus.provenance.execution.publish import (
    clear_work,
    prepare_folders,
    publish,
    restore_if_finished,
    reuse,
)
from cactus.provenance.execution.running_job import RunningJob
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.hash_cache import HASHES_FILE, HashCache
from cactus.provenance.fingerprint.other_runs import find_donors
from cactus.provenance.records.links import read_links
from cactus.provenance.records.plan import Plan, read_plan
from cactus.provenance.records.readers import Readers
from cactus.provenance.records.record import Record
from cactus.train.stop import StopRequest

SCRIPTS: Final = Path(__file__).resolve().parents[3]


@contextmanager
def running_job(plan_file: Path) -> Iterator[RunningJob]:
    """Check a job's plan, run the block, move the results into place, and write the record.

    Only one process at a time runs a job; a second one waits for the first. If the job is finished
    by then, the second process exits with success.

    Raises
    ------
    CodeError
        The code or a library differs from the plan.
    RecordError
        An input is missing or differs from the plan or its manifest, or a result is not what the
        stage promises.
    LeaseError
        Another process took over the job, because this one was silent for too long.
    StoppedError
        The job was asked to stop.
    """
    planned = read_plan(plan_file)
    plan = planned.plan
    run_folder = plan_file.absolute().parents[len(Path(plan.job.name).parts)]
    attempt = next_attempt(run_folder, plan.job)
    with (
        StopRequest(plan.job.name) as stop,
        Lease(work_folder(run_folder, plan.job), plan.job.name, {"attempt": attempt}) as lease,
        failure_note(run_folder, plan.job, lease, attempt),
    ):
        keep_log(run_folder, plan.job, attempt)
        print(log_header(plan, lease.started, attempt), file=sys.stderr, flush=True)
        cache = HashCache.load(run_folder / HASHES_FILE)
        job = _checked(plan, run_folder, stop, lease, cache)
        job.upstream = planned.upstream
        read_links(run_folder, job.upstream)  # fails now, and not after the work
        # What reads the whole run depends on all of its records, of which its plan says nothing.
        reads_run = plan.job.definition.reads_run
        if not reads_run and restore_if_finished(run_folder, job.plan):
            print("finished already, by another process or attempt", file=sys.stderr)
            drop_log(run_folder, plan.job, attempt)
            raise SystemExit(0)
        if planned.reuse and not reads_run and _reused(job, planned.raw_dir, cache):
            clear_work(job)
            drop_log(run_folder, plan.job, attempt)
            raise SystemExit(0)
        lease.progress = job.progress
        check_read(job)
        prepare_folders(job)
        note_processor(job.work, job.fingerprint, attempt)
        if note := unused_gpu(job.plan):
            print(f"note: {note}", file=sys.stderr, flush=True)
            lease.facts["note"] = note
        yield job
        check_made(job)
        _check_files(plan, cache)
        check_imports(plan, SCRIPTS, _BOOKKEEPING_MODULES)
        publish(job, SCRIPTS.parents[1])
        clear_work(job)
        drop_log(run_folder, plan.job, attempt)


def _checked(
    plan: Plan, run_folder: Path, stop: StopRequest, lease: Lease, cache: HashCache
) -> RunningJob:
    """Check that code, libraries and inputs are what was planned; return the job."""
    clock = time.monotonic()
    check_libraries(plan.libraries)  # before the code that imports them
    sources = check_code(plan, SourceTree(SCRIPTS, cache))
    _check_files(plan, cache)
    complete = plan.model_copy(update={"inputs": checked_inputs(run_folder, plan, cache)})
    return RunningJob(run_folder, complete, stop, lease, sources, lease.started, clock)


def _reused(job: RunningJob, raw_dir: str, cache: HashCache) -> bool:
    """Return whether the job's results were taken from another run; say so, or why not."""

    def raw(record: Record) -> dict[str, str]:
        # Not above: what the bookkeeping imports for every job, a stage may import undeclared.
        from cactus.data.files.registry import load_registry
        from cactus.provenance.fingerprint.raw_files import current_raw_hashes

        own = record.plan.spec["settings"]["custom"].get(record.job.cell, {})
        # None for a data set of one's own, unless it is a variant.
        entry = load_registry().get(own.get("variant_of") or record.job.cell)
        folders, names = entry.folders if entry else None, record.plan.raw
        return current_raw_hashes(Path(raw_dir), record.job.cell, folders, names, cache)

    def refuse(why: str) -> None:
        print(f"not reused from {why}", file=sys.stderr, flush=True)

    donors = find_donors(job.run_folder, job.plan, cache, raw, refuse, Readers())
    if origin := reuse(job, donors, refuse):
        print(origin, file=sys.stderr, flush=True)
    return bool(origin)


def _check_files(plan: Plan, cache: HashCache) -> None:
    """Check that the data files of the configuration and of the project are what was planned."""
    check_declared(plan, cache)
    check_project_files(plan, SCRIPTS.parents[1], cache)


# Modules that the bookkeeping imports, before any stage and whether or not the stage needs them.
_BOOKKEEPING_MODULES: Final = frozenset(sys.modules)
