"""Backups of a finished job's results, kept until Snakemake has accepted the results.

Snakemake removes the results of a job that it considers failed, even if Snakemake itself was killed
just after the job had finished. A second name for each file, a hard link, survives that; where the
file system refuses such links, a copy does. Results of another run become backups, too, before they
are restored into place.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from cactus.errors import RecordError
from cactus.files import file_hash
from cactus.provenance.execution.attempts import work_folder
from cactus.provenance.fingerprint.other_runs import Donor
from cactus.provenance.records.objects import load, store
from cactus.provenance.records.record import Record, record_path
from cactus.stages.base import Job

# No cell can have this name.
BACKUP: Final = ".finished"


def backup_folder(run_folder: Path, job: Job) -> Path:
    """Return the folder of a job's backups, laid out like the run's folder."""
    return work_folder(run_folder, job) / BACKUP


def back_up(run_folder: Path, record: Record) -> None:
    """Back up the results and the record of a finished job."""
    _link(run_folder, backup_folder(run_folder, record.job), record)


def restore(run_folder: Path, record: Record) -> None:
    """Restore the results of a job from their backups, the record last."""
    _link(backup_folder(run_folder, record.job), run_folder, record)


def back_up_donor(run_folder: Path, donor: Donor) -> None:
    """Make backups of another run's results, without a record; check each against its record.

    A file that is linked becomes read-only, under both names, so that neither run can change it by
    the other's name. Only its owner may do so, and touch it as Snakemake does; the files of other
    users are copied.

    Raises
    ------
    OSError, RecordError
        A file or a stored source of the other run cannot be read, or changed since it was recorded.
    """
    record, backups = donor.record, backup_folder(run_folder, donor.record.job)
    for digest in record.texts:
        store(run_folder, load(donor.run_folder, digest))
    for name, entity in record.entities.items():
        source, target = donor.run_folder / name, backups / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.stat().st_uid == os.geteuid():
            _link_or_copy(source, target)
        else:
            shutil.copyfile(source, target)
        if file_hash(target) != entity.sha256:
            raise RecordError(
                "A result of another run is not what its record says.",
                where=str(source),
                got=f"{name} changed since it was made",
                fix=f"see `cactus audit {donor.run}`",
            )
    for name in record.entities:
        if (backups / name).samefile(donor.run_folder / name):
            (backups / name).chmod((backups / name).stat().st_mode & ~0o222)


def drop_backups(run_folder: Path) -> None:
    """Remove all backups of a run, once Snakemake has accepted the results."""
    for folder in list((run_folder / "work").rglob(BACKUP)):
        shutil.rmtree(folder)
        with suppress(OSError):  # not empty: the next attempt needs what is left
            folder.parent.rmdir()


def _link(source: Path, target: Path, record: Record) -> None:
    """Link or copy a record and its files from one folder into another, the record last."""
    for name in (*record.entities, record_path(Path(), record.job).as_posix()):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).unlink(missing_ok=True)
        _link_or_copy(source / name, target / name)


def _link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name; copy it where links between folders are refused."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except FileExistsError:  # it showed up too late to be removed before
        if not source.samefile(target):
            target.unlink()
            os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
