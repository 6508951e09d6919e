"""A `python` for a run's jobs that notes how they spend processor time; see `bench.start_up`."""

import builtins
import json
import os
import runpy
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from cactus.provenance.execution import run_job
from cactus.provenance.execution.running_job import RunningJob

_RUNNING_JOB: Final = run_job.running_job
_IMPORT: Final = builtins.__import__


class Spent:
    """Processor time of a job's block, and of what the block imports."""

    def __init__(self) -> None:
        self.block = self.imports = 0.0

    @contextmanager
    def running_job(self, plan: Path) -> Iterator[RunningJob]:
        """Time what is done in `run_job.running_job`, which `_RUNNING_JOB` keeps."""
        with _RUNNING_JOB(plan) as job:
            builtins.__import__ = self._import
            start = _now()
            try:
                yield job
            finally:
                self.block = _now() - start
                builtins.__import__ = _IMPORT

    def _import(self, *arguments: Any, **named: Any) -> Any:
        """Time an import; what it imports itself is in its time."""
        builtins.__import__ = _IMPORT
        start = _now()
        try:
            return _IMPORT(*arguments, **named)
        finally:
            self.imports += _now() - start
            builtins.__import__ = self._import


def _now() -> float:
    """Return the processor time of this process and of its finished children, in seconds."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def main(how: str, script: str, *arguments: str) -> None:
    """Run a stage's script as Python does, and add a line to the file ``CACTUS_BENCH_TIMES``.

    Parameters
    ----------
    how
        Whether the job runs "alone" or "preloaded", for the line.
    script, arguments
        What to run.
    """
    spent = Spent()
    # The script takes it from there.
    setattr(run_job, "running_job", spent.running_job)  # noqa: B010
    sys.argv[:] = [script, *arguments]
    sys.path[0] = str(Path(script).parent)
    try:
        runpy.run_path(script, run_name="__main__")
    finally:
        work = spent.block - spent.imports
        line = {"stage": Path(script).stem, "how": how, "total": _now(), "work": work}
        with Path(os.environ["CACTUS_BENCH_TIMES"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
