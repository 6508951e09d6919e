"""``snakemake --profile slurm`` under supervision: no job is lost or repeated, and nothing hangs.

Jobs that an earlier driver left behind are adopted: they finish while Snakemake does the rest. A
Snakemake process that waits for jobs that are gone is stopped and restarted. No finished job is
repeated, because its record says that it is fresh.
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

from cactus.cluster.driver import is_of_terminal, job_names, living_driver
from cactus.cluster.queued import ADOPTED, QueuedJob, queued_jobs
from cactus.cluster.slurm import cancel
from cactus.cluster.watch import Watch
from cactus.errors import ClusterError, counted
from cactus.provenance.records.record import record_path
from cactus.provenance.staleness.open_run import RUN_FOLDER_FILE, open_run
from cactus.provenance.staleness.run_folders import is_run_folder

_TERMINATE_SECONDS: Final = 20.0
# How many times in a row Snakemake may hang or die without a job finishing.
_RESTARTS: Final = 3


@dataclass
class Supervisor:
    """Runs Snakemake until the run is complete or cannot make progress.

    Parameters
    ----------
    options
        Options for Snakemake: profile, configuration, targets.
    patience
        See `cactus.cluster.watch.Watch`.
    poll
        Seconds between looks at the queue.
    cancel_orphans
        Cancel jobs of an earlier driver instead of letting them finish.
    """

    options: list[str]
    patience: float
    poll: float
    cancel_orphans: bool
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _signal: int | None = field(default=None, init=False)

    def run(self) -> tuple[Path, int]:
        """Return the run's folder and Snakemake's last exit code.

        Raises
        ------
        ClusterError
            Snakemake cannot plan the run, the Slurm controller does not answer, or Snakemake keeps
            hanging or dying.
        """
        folder = self._run_folder()
        with self._signals_forwarded():
            return folder, self._run(folder)

    def _run(self, folder: Path) -> int:
        failures, before = 0, _finished(folder)
        while True:
            orphans = self._orphans(folder)
            trouble, code = self._round(folder, orphans)
            if trouble is None:
                if not orphans or self._signal is not None:
                    return code
                self._wait_for(folder, orphans)
                continue
            now = _finished(folder)
            failures = failures + 1 if now == before else 1
            before = now
            if failures > _RESTARTS:
                raise ClusterError(
                    "Snakemake was restarted several times, but no job finished.",
                    where=str(folder),
                    got=trouble,
                    fix="check the newest log in .snakemake/log, `squeue --me` and `scontrol ping`",
                )
            _say(f"{trouble}; restarting Snakemake")

    def _round(self, folder: Path, orphans: list[QueuedJob]) -> tuple[str | None, int]:
        """Run Snakemake once; return what went wrong, if anything, and its exit code."""
        known = len(job_names(folder))
        # A record stands for an adopted job in Snakemake's graph.
        omitted = [str(record_path(folder, one.job)) for one in orphans if one.job]
        adopted = " ".join(one.slurm.id for one in orphans)
        process = self._snakemake(adopted, *(["--omit-from", *omitted] if omitted else []))
        self._process = process
        watch = Watch(process.pid, Path(".snakemake/log"), [], self.patience)
        while True:
            try:
                code = process.wait(timeout=self.poll)
            except subprocess.TimeoutExpired:
                watch.names = job_names(folder)[known:]
                if watch.names and watch.hung():
                    _terminate(process)
                    if self._signal is not None:
                        return None, 128 + self._signal
                    return f"Snakemake was waiting for nothing: {watch.cause()}", 1
                continue
            died = code < 0 and self._signal is None
            return (f"Snakemake was killed by signal {-code}" if died else None), code

    def _snakemake(self, adopted: str, *more: str) -> subprocess.Popen[bytes]:
        # `cactus.cluster.driver` allows one driver per run. Snakemake's own lock would also keep
        # out the successor of a killed driver.
        options = [*self.options, "--nolock", *more]
        command = [sys.executable, "-m", "snakemake", *options]
        return subprocess.Popen(command, env={**os.environ, ADOPTED: adopted})

    def _run_folder(self) -> Path:
        """Return the folder of the run, from a dry run of Snakemake."""
        with tempfile.TemporaryDirectory() as folder:
            answer = Path(folder) / "run"
            command = [sys.executable, "-m", "snakemake", *self.options, "--dry-run", "--quiet"]
            environment = {**os.environ, RUN_FOLDER_FILE: str(answer)}
            done = subprocess.run(
                [*command, "all"], env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode or not answer.is_file():
                sys.stderr.write(done.stdout + done.stderr)
                raise ClusterError(
                    "Snakemake cannot plan the run.",
                    where=" ".join(command[1:]),
                    got=f"exit code {done.returncode}, see above",
                    fix="fix what it reports, and check with `snakemake --profile slurm --dry-run`",
                )
            return Path(json.loads(answer.read_text(encoding="utf-8")))

    def _orphans(self, folder: Path) -> list[QueuedJob]:
        """Return the jobs to adopt; cancel them instead if so requested. Report either."""
        if not is_run_folder(folder):  # it never ran
            return []
        planner = open_run(str(folder))
        orphans = [] if living_driver(folder) else queued_jobs(planner.config, folder)
        for orphan in orphans:
            _say(f"{'canceled' if self.cancel_orphans else 'adopted'} {orphan}")
        if not self.cancel_orphans:
            return orphans
        cancel(orphan.slurm for orphan in orphans)
        self._wait_for(folder, orphans)
        return []

    def _wait_for(self, folder: Path, orphans: list[QueuedJob]) -> None:
        """Wait until the jobs of an earlier driver have ended."""
        waiting = {orphan.slurm.id: orphan for orphan in orphans}
        planner = open_run(str(folder))
        while waiting:
            try:
                alive = {one.slurm.id for one in queued_jobs(planner.config, folder)}
            except ClusterError as error:
                _say(f"still waiting for {counted(len(waiting), 'job')}: {error.got}")
                alive = set(waiting)
            for identity in waiting.keys() - alive:
                _say(f"ended {waiting.pop(identity)}")
            if waiting:
                time.sleep(self.poll)

    @contextmanager
    def _signals_forwarded(self) -> Iterator[None]:
        """Forward SIGINT and SIGTERM to Snakemake, which cancels its jobs or waits for them."""

        def forward(number: int, _frame: object) -> None:
            first, self._signal = self._signal is None, number
            if self._process is None or self._process.poll() is not None:
                raise SystemExit(128 + number)
            if not (first and is_of_terminal(number)):
                self._process.send_signal(number)

        before = {one: signal.signal(one, forward) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _finished(folder: Path) -> int:
    """Return how many jobs of a run have a record."""
    return sum(1 for _ in (folder / "records").rglob("*.json"))


def _terminate(process: subprocess.Popen[bytes]) -> None:
    """Stop a hung Snakemake; none of its jobs is queued, so it leaves nothing behind."""
    process.terminate()
    try:
        process.wait(_TERMINATE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _say(text: str) -> None:
    print(f"cactus run: {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
