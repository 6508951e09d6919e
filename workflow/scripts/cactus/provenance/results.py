"""The results of a job: put in place as a whole, described, and known to be finished."""

import shutil
from pathlib import Path

from cactus.errors import RecordError
from cactus.files import file_hash
from cactus.provenance.jobs import Job
from cactus.provenance.plan import Plan
from cactus.provenance.record import FileEntity, read_record


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


def is_finished(run_folder: Path, plan: Plan) -> bool:
    """Return whether a job has a record of exactly this plan, and its results are as recorded.

    Parameters
    ----------
    plan
        With the hashes of all inputs.
    """
    try:
        record = read_record(run_folder, plan.job)
    except RecordError:
        return False
    if record is None or record.plan.model_copy(update={"raw": {}}) != plan:
        return False
    paths = {run_folder / name: entity.sha256 for name, entity in record.entities.items()}
    return all(path.is_file() and file_hash(path) == digest for path, digest in paths.items())
