"""Checks the file systems that a run lies on, before its first job."""

import os
import uuid
from pathlib import Path

from cactus.errors import StorageError
from cactus.refusals import storage_error


def check_storage(run_folder: Path) -> None:
    """Check that jobs can write to the run's folder and lock their results there.

    A job's lease is a hard link within the run's work folder. Results may lie on another file
    system: they are copied there.

    Raises
    ------
    StorageError
        A folder cannot be written, or the file system has no hard links.
    """
    work = run_folder / "work"
    draft = work / f".link-test-{uuid.uuid4().hex}"
    second = draft.with_suffix(".second")
    try:
        work.mkdir(parents=True, exist_ok=True)
        draft.touch()
        try:
            os.link(draft, second)
        except OSError as error:
            raise _no_links(work, error) from error
        finally:
            draft.unlink()
        second.unlink()
        for folder in run_folder.iterdir():
            if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied", str(folder))
    except OSError as error:
        refused = storage_error(error, str(error.filename or work))
        if refused is None:
            raise
        raise refused from error


def _no_links(work: Path, error: OSError) -> StorageError:
    return StorageError(
        "The file system of a run has no hard links, by which jobs lock their results.",
        where=str(work),
        got=str(error.strerror or error),
        fix="put the folder `results`, or this folder by a symbolic link, on a file system with "
        "hard links (ext4, XFS, NFS, Lustre)",
    )
