"""A job at work: it checks that it is what was planned, runs, and leaves its record."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cactus.provenance.execution.attempts import FailureNote, next_attempt, work_folder
from cactus.provenance.execution.checks import check_code, check_imports, checked_inputs
from cactus.provenance.execution.environment import check_libraries, log_header
from cactus.provenance.execution.lease import Lease
from cactus.provenance.execution.logs import drop_log, keep_log
from cactus.provenance.execution.publish import (
    clear_work,
    prepare_folders,
    publish,
    restore_if_finished,
)
from cactus.provenance.execution.running_job import RunningJob
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.hash_cache import HASHES_FILE, HashCache
from cactus.provenance.records.plan import Plan, read_plan
from cactus.stop import StopRequest

SCRIPTS: Final = Path(__file__).resolve().parents[3]


@contextmanager
def running_job(plan_file: Path) -> Iterator[RunningJob]:
    """Check the plan of a job, let it run, put its results in place, and leave its record.

    One process at a time runs a job: a second one waits for the first. If the job is finished
    then, the second one ends at once, with success.

    Raises
    ------
    CodeError
        The code or a library is not what was planned.
    RecordError
        An input is not what was planned, or is missing.
    LeaseError
        Another process took the job over, because this one was silent for too long.
    StoppedError
        The job was asked to stop.
    """
    plan = read_plan(plan_file).plan
    run_folder = plan_file.absolute().parents[len(Path(plan.job.name).parts)]
    attempt = next_attempt(run_folder, plan.job)
    work = work_folder(run_folder, plan.job)
    with (
        StopRequest(plan.job.name) as stop,
        Lease(work, plan.job.name, {"attempt": attempt}) as lease,
        FailureNote(run_folder, plan.job, lease.started, attempt),
    ):
        keep_log(run_folder, plan.job, attempt)
        print(log_header(plan.job, lease.started, attempt), file=sys.stderr, flush=True)
        job = _checked(plan, run_folder, stop, lease)
        if restore_if_finished(run_folder, job.plan):
            print("finished already, by another process or attempt", file=sys.stderr)
            drop_log(run_folder, plan.job, attempt)
            raise SystemExit(0)
        lease.progress = job.progress
        prepare_folders(job)
        yield job
        check_imports(plan, SCRIPTS, _BOOKKEEPING_MODULES)
        lease.check()
        publish(job, SCRIPTS.parents[1])
        clear_work(job, lease)
        drop_log(run_folder, plan.job, attempt)


def _checked(plan: Plan, run_folder: Path, stop: StopRequest, lease: Lease) -> RunningJob:
    """Check that code, libraries and inputs are what was planned; return the job, ready to run."""
    clock, cache = time.monotonic(), HashCache.load(run_folder / HASHES_FILE)
    sources = check_code(plan, SourceTree(SCRIPTS, cache))
    check_libraries(plan.libraries)
    complete = plan.model_copy(update={"inputs": checked_inputs(run_folder, plan, cache)})
    return RunningJob(run_folder, complete, stop, lease.token, sources, lease.started, clock)


# What the bookkeeping itself imports: loaded before any stage, whether a stage needs it or not.
_BOOKKEEPING_MODULES: Final = frozenset(sys.modules)
