"""The results of a job: put in place as a whole, described, and known to be finished.

Snakemake removes the results of a job that it takes for failed, be it that the job was killed in
the seconds between its end and Snakemake's. A second name of each file, a hard link, outlives that.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from cactus.errors import RecordError
from cactus.files import file_hash
from cactus.provenance.execution.state import work_folder
from cactus.provenance.jobs import Job
from cactus.provenance.records.plan import Plan
from cactus.provenance.records.record import FileEntity, Record, read_record, record_path

# No cell has such a name.
KEPT: Final = ".finished"


def publish(run_folder: Path, job: Job, staging: Path) -> dict[str, FileEntity]:
    """Move the results of a job that owns a folder to where they belong; describe all results.

    Until then a half-made result has been seen by nobody, and a second Snakemake that removes
    what it takes for old results has removed nothing of this job.

    Parameters
    ----------
    staging
        Folder in which the job's folder was made.
    """
    if job.folder is not None:
        target = run_folder / job.folder
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        (staging / target.name).replace(target)
    return {
        path.relative_to(run_folder).as_posix(): FileEntity(
            sha256=file_hash(path), bytes=path.stat().st_size
        )
        for path in _files(run_folder, job)
    }


def _files(run_folder: Path, job: Job) -> list[Path]:
    if job.folder is None:
        return [run_folder / name for name in job.files]
    found = (run_folder / job.folder).rglob("*")
    return sorted(path for path in found if path.is_file() and path.name[0] != ".")


def keep(run_folder: Path, job: Job, record: Record) -> None:
    """Give the results of a finished job, and its record, a second name."""
    kept = _kept(run_folder, job)
    names = [*record.entities, record_path(Path(), job).as_posix()]
    _link(run_folder, kept, names)


def is_finished(run_folder: Path, plan: Plan) -> bool:
    """Return whether a job has done exactly this plan; put results back that were removed since.

    Parameters
    ----------
    plan
        With the hashes of all inputs.
    """
    if _fits(run_folder, plan):
        return True
    kept = _kept(run_folder, plan.job)
    if not _fits(kept, plan):
        shutil.rmtree(kept, ignore_errors=True)
        return False
    record = read_record(kept, plan.job)
    assert record is not None
    _link(kept, run_folder, [*record.entities, record_path(Path(), plan.job).as_posix()])
    return True


def let_go(run_folder: Path) -> None:
    """Take back the second names of results, once Snakemake has accepted what is there."""
    for kept in list((run_folder / "work").rglob(KEPT)):
        shutil.rmtree(kept)
        with suppress(OSError):  # not empty: something is kept for the next attempt
            kept.parent.rmdir()


def _kept(run_folder: Path, job: Job) -> Path:
    return work_folder(run_folder, job) / KEPT


def _link(source: Path, target: Path, names: list[str]) -> None:
    """Give files of one folder a name in another, the record last."""
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).unlink(missing_ok=True)
        os.link(source / name, target / name)


def _fits(folder: Path, plan: Plan) -> bool:
    """Return whether a folder holds the record of exactly this plan, and results as recorded."""
    try:
        record = read_record(folder, plan.job)
    except RecordError:
        return False
    if record is None or record.plan.model_copy(update={"raw": {}}) != plan:
        return False
    paths = {folder / name: entity.sha256 for name, entity in record.entities.items()}
    return all(path.is_file() and file_hash(path) == digest for path, digest in paths.items())
