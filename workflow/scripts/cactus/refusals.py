"""What a disk, a file system or the memory refuses, told so that a user can mend it."""

import errno
import os
import re
import traceback
from pathlib import Path
from typing import Final

from cactus.closed import Closed, closed_on_the_way
from cactus.errors import CactusError, ConfigError, GpuMemoryError, ResourceError, StorageError

_SCRIPTS: Final = Path(__file__).resolve().parents[1]
_PERMISSION: Final = (errno.EACCES, errno.EPERM)
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_BROKEN: Final = (errno.EIO, errno.ESTALE, errno.ENAMETOOLONG, errno.ELOOP)
_ABSENT: Final = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)
_SHORT: Final = (errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN)
# How libraries, mostly in C, say that memory or threads ran out.
_EXHAUSTED: Final = re.compile(
    r"(can.?t|cannot|not enough|failed to|unable to) (allocate|map segment|start new thread)|"
    r"out of memory|not enough memory",
    re.I,
)
# How PyTorch and CUDA's libraries say that a GPU's memory ran out.
_GPU_EXHAUSTED: Final = re.compile(
    r"CUDA out of memory|CUDA error: out of memory|CU[A-Z]+_STATUS_ALLOC_FAILED|"
    r"CUBLAS_STATUS_NOT_INITIALIZED",
)
# How CUDA says that PyTorch has no code for a GPU.
_NO_CODE: Final = "no kernel image is available"


def storage_error(error: OSError, where: str) -> StorageError | None:
    """Return the error for what a disk or a file system refuses; None if it refuses nothing."""
    got = f"{error.strerror or error} ({errno.errorcode.get(error.errno or 0, 'no number')})"
    if error.errno in _FULL:
        what = "The disk is full."
        fix = "free some space and run the same command again; finished results are kept"
    elif error.errno == errno.EROFS:
        what = "The file system can only be read."
        fix = "mount it so that it can be written, or work in a folder on another one"
    elif error.errno in _PERMISSION:
        what = "A file or a folder cannot be read or written."
        if found := _closed(error, writing=True):
            return StorageError(what, where=str(found.path), got=found.got, fix=found.fix)
        fix = "check that it exists and that you may read it and write to its folder"
    elif error.errno == errno.EFBIG:
        what = "A file would be larger than allowed."
        fix = "raise the limit on file sizes (`ulimit -f unlimited`) and run the same command again"
    elif error.errno in _BROKEN:
        what = "The file system refuses a file."
        fix = "check the path and the file system, then run the same command again"
    else:
        return None
    return StorageError(what, where=where, got=got, fix=fix)


def explained(error: BaseException) -> CactusError | None:
    """Return what to tell a user about an error; None if it is a mistake in the code."""
    if isinstance(error, CactusError):
        return _opened(error)
    if isinstance(error, RuntimeError) and (told := _gpu_error(error)):
        return told
    if isinstance(error, MemoryError) or _is_exhausted(error):
        text = " ".join(str(error).split())[:300] or "no more memory"
        return ResourceError(
            "Memory, threads or open files ran out.",
            where=_place(error),
            got=text,
            fix="raise the limit (`ulimit -v`, `ulimit -n`, the job's memory on a cluster), or run "
            "fewer jobs at once",
        )
    if isinstance(error, OSError):
        where = str(error.filename or _place(error))
        if error.errno in _ABSENT and error.filename:
            return StorageError(
                "A file or a folder is missing, or one is in the place of the other.",
                where=where,
                got=f"{error.strerror}, in {_place(error)}",
                fix="put it in place, or run the workflow again so that it is made again",
            )
        return storage_error(error, where)
    return None


def _opened(error: CactusError) -> CactusError:
    """Return an error with the command that opens what is closed, if that is what caused it."""
    cause = error.__cause__
    while cause is not None and not isinstance(cause, PermissionError):
        cause = cause.__cause__
    if cause is not None and (found := _closed(cause, writing=False)):
        return type(error)(error.what, where=str(found.path), got=found.got, fix=found.fix)
    return error


def _closed(error: OSError, *, writing: bool) -> Closed | None:
    """Return what is closed on the way to the files that an error names."""
    names = [one for one in (error.filename, error.filename2) if isinstance(one, str | os.PathLike)]
    ways = (closed_on_the_way(one, writing=writing) for one in names)
    return next(filter(None, ways), None)


def _gpu_error(error: RuntimeError) -> CactusError | None:
    """Return what to tell a user about an error of a GPU; None if it is none that is known."""
    text = " ".join(str(error).split())
    if _GPU_EXHAUSTED.search(text):
        return GpuMemoryError(
            "The GPU's memory ran out.",
            where=_place(error),
            got=text[:300],
            fix="let fewer jobs share a GPU (gpus.jobs_per_gpu); compute less at once "
            "(speed.maml.tasks_at_once and evaluation_tasks_at_once, "
            "speed.protonets.images_at_once, learners.custom.<name>.evaluation_tasks_at_once, "
            "embeddings.<method>.encode_batch_size); or use a "
            "larger GPU (gpu_model in the profile). More memory of the host does not help",
        )
    if _NO_CODE in text:
        return ConfigError(
            "The GPU's architecture is not supported by this PyTorch.",
            where=_place(error),
            got=text[:300],
            fix="use another GPU, install a PyTorch that is built for this one, or set "
            "compute.device to cpu",
        )
    return None


def _is_exhausted(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _SHORT
    known = isinstance(error, (RuntimeError, ImportError, SystemError))
    return known and bool(_EXHAUSTED.search(str(error)))


def _place(error: BaseException) -> str:
    """Return the file and the line that raised an error, of a library only if none is ours."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if Path(one.filename).is_relative_to(_SCRIPTS)]
    last = (ours or frames)[-1:]
    return f"{last[0].filename}, line {last[0].lineno}" if last else "this command"
