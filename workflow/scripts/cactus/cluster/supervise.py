"""``snakemake --profile slurm`` under supervision: nothing is lost, repeated or waited for in vain.

Jobs that an earlier process left behind are adopted: Snakemake does all else meanwhile. A process
that waits for jobs that are gone is ended and started again. Finished jobs are never repeated,
since their records say that they are fresh.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cactus.cluster.heads import job_names, living_head
from cactus.cluster.queued import QueuedJob, queued_jobs
from cactus.cluster.slurm import cancel
from cactus.cluster.watch import Watch
from cactus.errors import ClusterError
from cactus.provenance.staleness.open_run import RUN_FOLDER_FILE, open_run

_END_SECONDS: Final = 20.0


@dataclass
class Supervisor:
    """Runs Snakemake until all is done, or cannot be done.

    Parameters
    ----------
    options
        Snakemake's options: profile, configuration, targets.
    patience
        See `cactus.cluster.watch.Watch`.
    poll
        Seconds between looks at the queue.
    cancel_orphans
        End jobs of an earlier Snakemake process instead of letting them finish.
    restarts
        How many times in a row Snakemake may hang or die without a job having finished.
    """

    options: list[str]
    patience: float = 420.0
    poll: float = 15.0
    cancel_orphans: bool = False
    restarts: int = 3
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _told: int | None = field(default=None, init=False)

    def run(self) -> int:
        """Return Snakemake's last exit code.

        Raises
        ------
        ClusterError
            Another process works on the run, or Snakemake hung or died again and again.
        """
        folder = self._plan()
        with self._signals_passed_on():
            return self._run(folder)

    def _run(self, folder: Path) -> int:
        failures, before = 0, _fresh(folder)
        while True:
            orphans = self._orphans(folder)
            trouble, code = self._round(folder, orphans)
            if trouble is None:
                if not orphans or self._told is not None:
                    return code
                self._wait_for(folder, orphans)
                continue
            now = _fresh(folder)
            failures = failures + 1 if now == before else 1
            before = now
            if failures > self.restarts:
                raise _hopeless(folder, trouble)
            _say(f"{trouble}; Snakemake is started again")

    def _round(self, folder: Path, orphans: list[QueuedJob]) -> tuple[str | None, int]:
        """Run Snakemake once; return what went wrong with it, or its exit code."""
        known = len(job_names(folder))
        omitted = [f"{folder}/{_receipt(orphan)}" for orphan in orphans if orphan.job]
        process = self._snakemake(*(["--omit-from", *omitted] if omitted else []))
        self._process = process
        watch = Watch(process.pid, Path(".snakemake/log"), [], self.patience)
        while True:
            try:
                code = process.wait(timeout=self.poll)
            except subprocess.TimeoutExpired:
                watch.names = job_names(folder)[known:]
                if watch.names and watch.hung():
                    _end(process)
                    if self._told is not None:
                        return None, 128 + self._told
                    return f"Snakemake waited for nothing: {watch.cause()}", 1
                continue
            died = code < 0 and self._told is None
            return (f"Snakemake was ended by signal {-code}" if died else None), code

    def _snakemake(self, *more: str) -> subprocess.Popen[bytes]:
        # One process at a time works on a run: of that `cactus.cluster.heads` takes care, also
        # where a process was killed and left Snakemake's own lock.
        options = [*self.options, "--nolock", *more]
        return subprocess.Popen([sys.executable, "-m", "snakemake", *options])

    def _plan(self) -> Path:
        """Let Snakemake plan, and return the folder of the run."""
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder) / "run"
            command = [sys.executable, "-m", "snakemake", *self.options, "--dry-run", "--quiet"]
            environment = {**os.environ, RUN_FOLDER_FILE: str(told)}
            done = subprocess.run(
                [*command, "all"], env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode or not told.is_file():
                sys.stderr.write(done.stdout + done.stderr)
                raise ClusterError(
                    "Snakemake cannot plan the run.",
                    where=" ".join(command[1:]),
                    got=f"exit code {done.returncode}, see above",
                    fix="mend what it says, and try `snakemake --profile slurm --dry-run`",
                )
            return Path(json.loads(told.read_text(encoding="utf-8")))

    def _orphans(self, folder: Path) -> list[QueuedJob]:
        """Return the jobs that were left behind, having said what becomes of them."""
        planner = open_run(str(folder))
        orphans = [] if living_head(folder) else queued_jobs(planner.config, folder)
        for orphan in orphans:
            _say(f"{'cancelled' if self.cancel_orphans else 'adopted'} {orphan}")
        if not self.cancel_orphans:
            return orphans
        cancel(orphan.slurm for orphan in orphans)
        self._wait_for(folder, orphans)
        return []

    def _wait_for(self, folder: Path, orphans: list[QueuedJob]) -> None:
        """Wait until jobs that were left behind have ended."""
        waiting = {orphan.slurm.id: orphan for orphan in orphans}
        planner = open_run(str(folder))
        while waiting:
            try:
                alive = {one.slurm.id for one in queued_jobs(planner.config, folder)}
            except ClusterError as error:
                _say(f"still waiting for {len(waiting)} jobs: {error.got}")
                alive = set(waiting)
            for identity in waiting.keys() - alive:
                _say(f"ended {waiting.pop(identity)}")
            if waiting:
                time.sleep(self.poll)

    @contextmanager
    def _signals_passed_on(self) -> Iterator[None]:
        """Pass SIGINT and SIGTERM on to Snakemake, which ends its jobs or waits for them."""

        def pass_on(number: int, _frame: object) -> None:
            self._told = number
            if self._process is None or self._process.poll() is not None:
                raise SystemExit(128 + number)
            self._process.send_signal(number)

        before = {one: signal.signal(one, pass_on) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _receipt(orphan: QueuedJob) -> str:
    """Return the file by which Snakemake knows what an adopted job makes."""
    assert orphan.job is not None
    return f"records/{orphan.job.name}.json"


def _fresh(folder: Path) -> int:
    """Return how many jobs of a run have left a record."""
    return sum(1 for _ in (folder / "records").rglob("*.json"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a hung Snakemake; nothing of its run is queued, so nothing is left behind."""
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _say(text: str) -> None:
    print(f"cactus run: {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _hopeless(folder: Path, trouble: str) -> ClusterError:
    return ClusterError(
        "Snakemake was started again and again, and no job finished.",
        where=str(folder),
        got=trouble,
        fix="look at the newest log in .snakemake/log, and at `squeue --me` and `scontrol ping`",
    )
