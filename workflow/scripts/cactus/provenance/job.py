"""A job at work: it checks that it is what was planned, runs, and leaves its record."""

import importlib
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cactus.errors import CodeError, RecordError
from cactus.provenance import results
from cactus.provenance.agent import check_libraries, describe_agent, determinism, header
from cactus.provenance.closure import BOOKKEEPING, SourceTree
from cactus.provenance.hashes import HASHES_FILE, HashCache
from cactus.provenance.jobs import AUDIT
from cactus.provenance.lease import Lease
from cactus.provenance.logs import hold_log, release_log
from cactus.provenance.objects import keep
from cactus.provenance.plan import PENDING, Plan, read_plan
from cactus.provenance.record import (
    Activity,
    Record,
    record_path,
    write_record,
)
from cactus.provenance.running import ATTEMPT, RunningJob
from cactus.provenance.state import FailureNote, next_attempt, work_folder
from cactus.train.stop import StopRequest

if TYPE_CHECKING:
    pass

SCRIPTS: Final = Path(__file__).resolve().parents[2]
_KIB: Final = 1024


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
    cache = HashCache.load(run_folder / HASHES_FILE)
    with (
        StopRequest(plan.job.name) as stop,
        Lease(work, plan.job.name, {"attempt": attempt}) as lease,
        FailureNote(run_folder, plan.job, lease.started, attempt),
    ):
        started, clock = lease.started, time.monotonic()
        hold_log(run_folder, plan.job, attempt)
        print(header(plan.job, started, attempt), file=sys.stderr, flush=True)
        sources = _check_code(plan, SourceTree(SCRIPTS, cache))
        check_libraries(plan.libraries)
        plan = plan.model_copy(update={"inputs": _checked_inputs(run_folder, plan, cache)})
        if results.is_finished(run_folder, plan):
            print("finished already, by another process or attempt", file=sys.stderr)
            release_log(run_folder, plan.job, attempt)
            raise SystemExit(0)
        job = RunningJob(run_folder, plan, stop, lease.token)
        lease.progress = job.progress
        _prepare(job)
        yield job
        _check_imports(plan)
        lease.check()
        entities = results.publish(run_folder, plan.job, job.staging)
        plan = plan.model_copy(update={"raw": job.raw})
        kept = {name: keep(run_folder, text) for name, text in sources.items()}
        activity = _activity(plan, kept, started, time.monotonic() - clock)
        activity = activity.model_copy(update={"resumed_from": job.resumed_from})
        agent = describe_agent(run_folder, SCRIPTS.parents[1], list(plan.libraries))
        record = Record(entities=entities, activity=activity, agent=agent)
        write_record(run_folder, record)
        _clear(work, lease)
        results.keep(run_folder, plan.job, record)
        release_log(run_folder, plan.job, attempt)


def _clear(work: Path, lease: Lease) -> None:
    """Remove all that a job needed while it was not finished, but for its lease."""
    for path in work.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path != lease.path and lease.token not in path.name:  # a killed process left it
            path.unlink()


def _prepare(job: RunningJob) -> None:
    """Remove the record of an earlier run, and what earlier attempts have left; make room."""
    record_path(job.run_folder, job.plan.job).unlink(missing_ok=True)
    for left in job.work.glob(f"{ATTEMPT}*"):
        shutil.rmtree(left)
    if job.plan.job.folder is not None:
        job.output.mkdir(parents=True)


def _check_code(plan: Plan, tree: SourceTree) -> dict[str, str]:
    """Check the code and import all of it, so that what is in memory is what was planned.

    Returns
    -------
    dict
        The text of each source file.
    """
    texts = {name: _text(tree, name) for name in plan.code}
    for name, planned in plan.code.items():
        found = tree.meaning(name)
        if found != planned:
            raise _code_changed(name, f"meaning {found[:12]}, planned {planned[:12]}")
    for name in plan.code:
        if name.startswith("cactus/"):
            parts = Path(name).with_suffix("").parts
            importlib.import_module(".".join(part for part in parts if part != "__init__"))
    for name, text in texts.items():
        if _text(tree, name) != text:
            raise _code_changed(name, "an edit while the job was starting")
    return texts


def _code_changed(name: str, got: str) -> CodeError:
    return CodeError(
        "The code changed after this job was planned.",
        where=name,
        got=got,
        fix="run Snakemake again: it plans the job with the code as it is now",
    )


def _text(tree: SourceTree, name: str) -> str:
    path = tree.path(name)
    return (path if path.is_file() else Path(name)).read_text(encoding="utf-8")


def _check_imports(plan: Plan) -> None:
    """Check that the job has run no file of ours that was not planned.

    The audit is bookkeeping itself: it imports what it needs to judge every stage.
    """
    if plan.job == AUDIT:
        return
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        ours = name == "cactus" or name.startswith("cactus.")
        if not ours or file is None or name in _LOADED_FIRST or name.startswith(BOOKKEEPING):
            continue
        path = Path(file).relative_to(SCRIPTS).as_posix()
        if path not in plan.code:
            raise CodeError(
                "The job imported a module that its plan does not name.",
                where=path,
                got=f"an import by name that {plan.stage}.py's imports do not show",
                fix="name it in cactus.provenance.ingredients.entries, where modules are listed "
                "that a stage's wildcards select",
            )


def _checked_inputs(run_folder: Path, plan: Plan, cache: HashCache) -> dict[str, str]:
    """Return the hashes of the inputs, which must be what was planned."""
    inputs = {}
    for name, planned in plan.inputs.items():
        path = run_folder / name
        if planned == PENDING and not path.exists():
            continue  # the receipt of its folder says that there is no such file
        found = cache.sha256(path) if path.is_file() else "missing"
        if planned not in (PENDING, found):
            raise RecordError(
                "An input is not what was planned.",
                where=str(path),
                got=f"sha256 {found[:12]}, planned {planned[:12]}",
                fix="run Snakemake again: it makes the input anew if its record does not fit",
            )
        inputs[name] = found
    return inputs


def _activity(plan: Plan, sources: dict[str, str], started: datetime, seconds: float) -> Activity:
    compute: dict[str, Any] = plan.spec.get("compute", {})
    torch = sys.modules.get("torch")
    gpu = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    return Activity(
        plan=plan,
        sources=sources,
        seed=plan.spec.get("seed"),
        threads=compute.get("threads", plan.spec.get("threads")),
        determinism=determinism(),
        started=started.isoformat(),
        ended=datetime.now(UTC).isoformat(),
        seconds=round(seconds, 3),
        peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB,
        peak_gpu_memory_bytes=torch.cuda.max_memory_allocated() if torch and gpu else None,
    )


# What the bookkeeping itself imports: loaded before any stage, whether a stage needs it or not.
_LOADED_FIRST: Final = frozenset(sys.modules)
