"""Publishing results: a finished job's results move into place as a whole and are recorded."""

import errno
import resource
import shutil
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cactus.errors import RecordError
from cactus.files import file_hash
from cactus.provenance.execution.backups import (
    back_up,
    back_up_donor,
    backup_folder,
    restore,
)
from cactus.provenance.execution.environment import collect_environment, determinism
from cactus.provenance.execution.lease import Lease
from cactus.provenance.execution.processor import noted_processors, unused_gpu
from cactus.provenance.execution.running_job import ATTEMPT_PREFIX, RunningJob
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.fingerprint.other_runs import Donor
from cactus.provenance.records.links import read_links
from cactus.provenance.records.objects import store
from cactus.provenance.records.plan import Plan
from cactus.provenance.records.record import (
    Activity,
    FileEntity,
    Record,
    Reuse,
    read_record,
    record_path,
    write_record,
)

_KIB: Final = 1024


def prepare_folders(job: RunningJob) -> None:
    """Remove the old record and what earlier attempts left; create the folder for new results."""
    record_path(job.run_folder, job.plan.job).unlink(missing_ok=True)
    for leftover in job.work.glob(f"{ATTEMPT_PREFIX}*"):
        shutil.rmtree(leftover)
    if job.plan.job.folder is not None:
        job.output.mkdir(parents=True)


def publish(job: RunningJob, root: Path) -> None:
    """Move all results of a job into place, write its record, and back up both.

    The record names the state of the clone in the folder `root`.

    Raises
    ------
    LeaseError
        Another process has taken over the job; its results and its record are untouched.
    """
    entities = _move_into_place(job)
    plan = job.plan.model_copy(update={"raw": job.raw})
    sources = {name: store(job.run_folder, content) for name, content in job.sources.items()}
    agent = collect_environment(job.run_folder, root, list(plan.libraries))
    activity = _activity(job, plan, sources)
    links = read_links(job.run_folder, job.upstream)
    record = Record(entities=entities, activity=activity, agent=agent, links=links)
    job.lease.check()
    write_record(job.run_folder, record)
    back_up(job.run_folder, record)


def clear_work(job: RunningJob) -> None:
    """Empty a finished job's work folder, except for its lease and backups."""
    lease, backups = job.lease, backup_folder(job.run_folder, job.plan.job)
    if not lease.held:
        return  # another process has taken over, and finds the job finished
    for path in job.work.iterdir():
        if path.is_dir() and path != backups:
            shutil.rmtree(path)
        elif path.is_file() and path != lease.path and lease.token not in path.name:
            path.unlink(missing_ok=True)  # left by a killed process


def restore_if_finished(run_folder: Path, plan: Plan) -> bool:
    """Return whether exactly this plan has been carried out; restore results removed since then.

    The plan must have the hashes of all inputs.
    """
    if _matching_record(run_folder, plan):
        return True
    backups = backup_folder(run_folder, plan.job)
    record = _matching_record(backups, plan)
    if record is None:
        shutil.rmtree(backups, ignore_errors=True)
        return False
    restore(run_folder, record)
    return True


def reuse(job: RunningJob, donors: Iterable[Donor], refuse: Callable[[str], object]) -> str:
    """Take a job's results from the first of other runs that has them; return where from, if so.

    The results are backed up, then the old ones are removed, and the backups get their record. From
    then on the next attempt can restore them; if this one dies before, it starts over.

    Raises
    ------
    LeaseError
        Another process has taken over the job; its results and its record are untouched.
    """
    place, backups = job.plan.job, backup_folder(job.run_folder, job.plan.job)
    for donor in donors:
        try:
            back_up_donor(job.run_folder, donor)
        except (FileNotFoundError, PermissionError, RecordError) as error:
            refuse(f"{donor.run}: {error.got if isinstance(error, RecordError) else error}")
            shutil.rmtree(backups, ignore_errors=True)
            continue
        job.lease.check()
        record_path(job.run_folder, place).unlink(missing_ok=True)
        if place.folder is not None:
            shutil.rmtree(job.run_folder / place.folder, ignore_errors=True)
        taken = Reuse(run=donor.run, when=datetime.now(UTC).isoformat(timespec="seconds"))
        links = read_links(job.run_folder, job.upstream)
        update = {"reused": [*donor.record.reused, taken], "links": links}
        record = donor.record.model_copy(update=update)
        write_record(backups, record)
        job.lease.check()
        restore(job.run_folder, record)
        return record.origin
    return ""


def _move_into_place(job: RunningJob) -> dict[str, FileEntity]:
    """Move a job's own folder, if it has one, into place; return sizes and hashes of all results.

    Until then, nothing reads a half-made result, and a second Snakemake that removes old results
    removes none of this job's. What takes time comes before the check of the lease: hashing, and
    copying where the results are on another file system.
    """
    folder = job.plan.job.folder
    made, target = job.run_folder, job.run_folder
    if folder is not None:
        made, target = job.output, job.run_folder / folder
    entities = {
        (target / path.relative_to(made)).relative_to(job.run_folder).as_posix(): FileEntity(
            sha256=file_hash(path), bytes=path.stat().st_size
        )
        for path in _files(job)
    }
    if folder is None:
        job.lease.check()
    else:
        _put_in_place(made, target, job.lease)
    return entities


def _put_in_place(made: Path, target: Path, lease: Lease) -> None:
    """Replace a folder, if it exists, by one that may be on another file system."""
    nearby = target.with_name(f".{target.name}.{lease.token}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        try:
            made.replace(nearby)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            shutil.copytree(made, nearby)
        lease.check()
        with suppress(FileNotFoundError):  # moved: on NFS, a file that is open keeps its folder
            target.replace(target.with_name(f"{nearby.name}.old"))
        nearby.replace(target)
    finally:
        shutil.rmtree(nearby, ignore_errors=True)
    for leftover in target.parent.glob(f".{target.name}.*"):
        if leftover.is_symlink():  # the folder was kept elsewhere
            leftover.unlink()
        else:
            shutil.rmtree(leftover, ignore_errors=True)  # of a killed process, or still open


def _files(job: RunningJob) -> list[Path]:
    if job.plan.job.folder is None:
        return [job.run_folder / name for name in job.plan.job.files]
    found = job.output.rglob("*")
    return sorted(path for path in found if path.is_file() and path.name[0] != ".")


def _activity(job: RunningJob, plan: Plan, sources: dict[str, str]) -> Activity:
    compute: dict[str, Any] = plan.spec.get("compute", {})
    torch = sys.modules.get("torch")
    gpu = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    progress = job.progress()
    return Activity(
        plan=plan,
        sources=sources,
        seed=plan.spec.get("seed"),
        threads=compute.get("threads", plan.spec.get("threads")),
        determinism=determinism(),
        started=job.started.isoformat(),
        ended=datetime.now(UTC).isoformat(),
        seconds=round(job.seconds, 3),
        peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB,
        peak_gpu_memory_bytes=torch.cuda.max_memory_allocated() if torch and gpu else None,
        resumed_from=job.resumed_from,
        steps=progress.get("steps"),
        seconds_per_step=progress.get("seconds_per_step"),
        processors=noted_processors(job.work, job.fingerprint),
        unused_gpu=unused_gpu(plan),
    )


def _matching_record(folder: Path, plan: Plan) -> Record | None:
    """Return a folder's record of exactly this plan, if the recorded results are there too."""
    try:
        record = read_record(folder, plan.job)
    except RecordError:
        return None
    if record is None or record.plan.model_copy(update={"raw": {}}) != plan:
        return None
    cache = HashCache(None)
    files = ((folder / name, one) for name, one in record.entities.items())
    intact = all(cache.state(path, one.bytes) == one.sha256 for path, one in files)
    return record if intact else None
