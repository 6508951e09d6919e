"""Backups of a finished job's results, until Snakemake has accepted them.

Snakemake removes the results of a job that it takes for failed, also when the job was killed in
the seconds between its end and Snakemake's. A second name of each file, a hard link, outlives that.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from cactus.provenance.execution.attempts import work_folder
from cactus.provenance.records.record import Record, record_path
from cactus.stages.base import Job

# No cell has such a name.
BACKUP: Final = ".finished"


def backup_folder(run_folder: Path, job: Job) -> Path:
    """Return the folder that holds the backups of a job, below the names they have in the run."""
    return work_folder(run_folder, job) / BACKUP


def back_up(run_folder: Path, job: Job, record: Record) -> None:
    """Give the results of a finished job, and its record, a second name."""
    _link(run_folder, backup_folder(run_folder, job), record)


def restore(run_folder: Path, job: Job, record: Record) -> None:
    """Put the results of a job back from their backups, the record last."""
    _link(backup_folder(run_folder, job), run_folder, record)


def drop_backups(run_folder: Path) -> None:
    """Remove all backups of a run, once Snakemake has accepted the results."""
    for folder in list((run_folder / "work").rglob(BACKUP)):
        shutil.rmtree(folder)
        with suppress(OSError):  # not empty: something is kept for the next attempt
            folder.parent.rmdir()


def _link(source: Path, target: Path, record: Record) -> None:
    """Give the files of a record in one folder a name in another, the record last."""
    for name in (*record.entities, record_path(Path(), record.job).as_posix()):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).unlink(missing_ok=True)
        os.link(source / name, target / name)
