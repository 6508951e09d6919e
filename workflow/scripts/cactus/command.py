"""The command line that all stage scripts share."""

import argparse
import faulthandler
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cactus.exits import run_main as run_main  # scripts take this from here
from cactus.provenance.execution.run_job import running_job
from cactus.provenance.execution.running_job import RunningJob

# Matplotlib reads this when it is imported. A notebook's value names a backend that jobs lack.
os.environ["MPLBACKEND"] = "Agg"
# A job that C code kills, for example by writing to read-only images, leaves the line in its log.
if sys.__stderr__ is not None:
    faulthandler.enable(sys.__stderr__)


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
