"""The command line that all stage scripts share."""

import argparse
import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from cactus.errors import CactusError, StorageError
from cactus.files import disk_full
from cactus.provenance.execution.run_job import running_job
from cactus.provenance.execution.running_job import RunningJob


@contextmanager
def stage_job(description: str | None) -> Iterator[RunningJob]:
    """Run a stage: read and check the plan from ``--plan``, and write a record on success.

    Parameters
    ----------
    description
        The script's docstring, shown by ``--help``.
    """
    with running_job(stage_parser(description).parse_args().plan) as job:
        yield job


def stage_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with ``--plan``, for scripts that add their own options."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--plan", required=True, type=Path, help="the job's plan, written by Snakemake"
    )
    return parser


def training_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with ``--plan`` and ``--checkpoints``, for scripts that train."""
    parser = stage_parser(description)
    parser.add_argument(
        "--checkpoints",
        default="{}",
        help="when to save the state that training resumes from: the section of the configuration, "
        "as JSON",
    )
    return parser


def report(line: str) -> None:
    """Print a progress line to the job's log."""
    print(line, file=sys.stderr, flush=True)


def run_main(main: Callable[[], None]) -> None:
    """Run a script's `main`; print a `CactusError` without a traceback and exit with its code."""
    try:
        main()
    except CactusError as error:
        _stop(error)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _stop(disk_full(error, str(error.filename or "a log or metrics file of this job")))


@contextmanager
def message_alone() -> Iterator[None]:
    """Print an error in a Snakefile without Snakemake's traceback, and exit with code 1."""
    try:
        yield
    except CactusError as error:
        refused = error
    except OSError as error:
        refused = StorageError(
            "A file of the run cannot be read or written.",
            where=str(error.filename or Path.cwd()),
            got=error.strerror or str(error),
            fix="check the folder's permissions, free space and length of names; then run again",
        )
    else:
        return
    print(f"{type(refused).__name__}: {refused}", file=sys.stderr, flush=True)
    raise SystemExit(1)


def _stop(error: CactusError) -> NoReturn:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    raise SystemExit(error.exit_code) from None
