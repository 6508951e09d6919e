"""Snakemake log handler: what runs, how far it is, and what came out.

``config/profiles/default`` makes it the default. A line is printed when a job starts and when it
ends, with its cell, its time, the accuracies that it measured, and how many jobs remain. On a
terminal, a view below these lines shows the running jobs with step, rate, time left and metrics;
elsewhere, a job that runs for long says so every ten minutes. For a failed job, the end of its log
follows.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from logging import INFO, WARNING, LogRecord
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from typing_extensions import override

from snakemake_logger_plugin_cactus.jobs import TARGETS, RunningJob, accuracies, clock
from snakemake_logger_plugin_cactus.own_loader import use_own_loader

if TYPE_CHECKING:
    from snakemake_logger_plugin_cactus.live import LiveView

_LOG_TAIL_LINES = 25
_SILENT = (LogEvent.RESOURCES_INFO, LogEvent.RULEGRAPH, LogEvent.JOB_STARTED)
_NOTHING = "Nothing to be done"
# How a call is ended early.
_INTERRUPTED = "Terminating processes on user request"
_INCOMPLETE = "At least one job did not complete successfully"
_ENDING = (_INTERRUPTED, "Will exit after finishing")
_BUILDING = "Building DAG of jobs..."

use_own_loader()


class LogHandler(LogHandlerBase):
    """Prints the progress of a run."""

    writes_to_stream = True  # it replaces Snakemake's own output
    writes_to_file = False
    has_filter = True  # `emit` selects the events
    has_formatter = False  # Snakemake formats warnings and errors
    needs_rulegraph = False
    reminder = 600.0  # seconds between two lines of a running job where there is no terminal

    def __post_init__(self) -> None:
        # On a full disk, Snakemake's own log would print a traceback for each of its lines; jobs
        # and commands that cannot write say so.
        logging.raiseExceptions = False
        self._begun = time.monotonic()
        self._running: dict[int, RunningJob] = {}
        self._lock = threading.Lock()
        self._interrupted = False  # by Ctrl-C, which ends the running jobs, too
        self._done = 0
        self._total = 0
        self._left_out: int | None = (
            None  # jobs that Snakemake counts and does not run, and targets
        )
        self._targets: set[int] = set()
        self._last = ""  # what Snakemake said, as long as there is no job to run
        self._view: LiveView | None = None
        self._over = threading.Event()
        self._print_job = {
            LogEvent.JOB_INFO: self._job_info,
            LogEvent.JOB_FINISHED: self._job_finished,
            LogEvent.JOB_ERROR: self._job_error,
            LogEvent.RUN_INFO: self._run_info,
            LogEvent.PROGRESS: self._progress,
            LogEvent.SHELLCMD: self._shell_command,
        }

    @override
    def emit(self, record: LogRecord) -> None:
        """Print a job's event as a line; print warnings and errors unchanged."""
        try:
            self._emit(record)
        except Exception as error:  # or Snakemake's thread would end, and with it all output
            self._print(f"a line could not be printed: {type(error).__name__}: {error}")

    def _emit(self, record: LogRecord) -> None:
        event = getattr(record, "event", None)
        if event in self._print_job:
            self._last = ""
            self._print_job[event](vars(record))
        elif event == LogEvent.DEBUG_DAG or (event is None and record.levelno < INFO):
            self._print(self.format(record))  # asked for by --debug-dag or --verbose
        elif event in _SILENT:
            return
        elif record.levelno >= WARNING:
            self._last = ""
            text = self.format(record)
            # The first repeats a failed job's whole shell command; the job's log says more.
            idle = ("CalledProcessError in file", *([_INCOMPLETE] if self._interrupted else []))
            if not any(one in text for one in idle):
                self._print(text)
        elif record.getMessage().startswith(_NOTHING):
            self._last = "nothing to do: what was asked for is there and fresh"
        elif record.getMessage().startswith(_ENDING):
            self._interrupted = record.getMessage().startswith(_INTERRUPTED)
            self._print(record.getMessage())
        elif record.levelno >= INFO and not self._total:
            self._last = record.getMessage().strip()

    @override
    def close(self) -> None:
        """End the view; say what came of a call without jobs, such as ``--unlock``."""
        self._over.set()
        if self._view:
            self._view.stop()
            self._view = None
        if self._last and self._last != _BUILDING and not self._quiet():
            self._print(self._last)
        self._last = ""
        super().close()

    def _quiet(self, *what: str) -> bool:
        """Whether ``--quiet`` was given for one of these, or for all."""
        return any(one.name.lower() in (*what, "all") for one in self.common_settings.quiet or ())

    def _run_info(self, fields: dict[str, Any]) -> None:
        if self._total:
            return  # a dry run says it again at its end
        stats: dict[str, int] = fields["stats"]
        counts = {rule: n for rule, n in stats.items() if rule not in ("total", *TARGETS)}
        self._total = sum(counts.values())
        if not self._total or self._quiet("progress"):
            return
        rules = ", ".join(f"{count} {rule}" for rule, count in counts.items())
        jobs = "job" if self._total == 1 else "jobs"
        self._print(f"{self._total} {jobs}: {rules}")
        if self.common_settings.dryrun:
            return
        stream = self._stream()
        if stream.isatty():
            # Snakemake imports this package even where no run is shown.
            from snakemake_logger_plugin_cactus.live import LiveView

            self._view = LiveView(stream, self._state)
            self._view.start()
        else:
            threading.Thread(target=self._remind, daemon=True).start()

    def _job_info(self, fields: dict[str, Any]) -> None:
        name = fields["rule_msg"] or fields["rule_name"]
        if fields["rule_name"] in TARGETS:
            self._targets.add(fields["jobid"])
            return
        if self.common_settings.dryrun:
            if not self._quiet("rules"):
                self._print(f"would run {name}")
            return
        logs, outputs = ([Path(str(one)) for one in fields[key]] for key in ("log", "output"))
        with self._lock:
            self._running[fields["jobid"]] = RunningJob(name, logs, outputs)
        if not self._view and not self._quiet("rules"):  # the view shows it
            self._say("start", name)

    def _shell_command(self, fields: dict[str, Any]) -> None:
        command = fields["shellcmd"] if self.common_settings.printshellcmds else None
        if command and not self._quiet("rules"):
            self._print(command)

    def _job_finished(self, fields: dict[str, Any]) -> None:
        if fields["job_id"] in self._targets:
            return
        with self._lock:
            job = self._running.pop(fields["job_id"], None)
            self._done += 1
        if self._quiet("progress"):
            return
        name, took = (job.name, f"{job.seconds:.1f} s") if job else (str(fields["job_id"]), "")
        remain = f"({self._done} of {self._total}, {self._total - self._done} remain)"
        self._say("done", f"{name}  {took}  {remain}")
        for text in accuracies(job.outputs) if job else ():
            self._print(f"{'':19}{text}")

    def _progress(self, fields: dict[str, Any]) -> None:
        # With --until, it counts what the option leaves out; a checkpoint adds jobs later.
        if self._left_out is None:
            self._left_out = fields["total"] - self._total if self._total else 0
        self._total = fields["total"] - self._left_out

    def _job_error(self, fields: dict[str, Any]) -> None:
        with self._lock:
            job = self._running.pop(fields["jobid"], None)
        name = job.name if job else fields["rule_name"]
        if self._interrupted:
            self._say("stop", name)
            return
        self._say("FAILED", name)
        # What Snakemake's executor says, such as Slurm's refusal, without the call that it made.
        reason = str(fields.get("rule_msg") or "").partition("sbatch call:")[0]
        for line in reason.splitlines():
            if line.strip():
                self._print(f"  {line.strip()}")
        for log in map(Path, fields["log"]):
            if log.is_file():
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
                self._print(f"  {log}:")
                for line in lines[-_LOG_TAIL_LINES:]:
                    self._print(f"  | {line}")

    def _remind(self) -> None:
        """Print a line for each job that has been running since the last time, until the end."""
        while not self._over.wait(self.reminder):
            for job in self._jobs():
                if job.seconds >= self.reminder:
                    self._say("runs", f"{job.name}  {clock(job.seconds)}  {job.progress()}")

    def _state(self) -> tuple[int, int, float, Sequence[RunningJob]]:
        return self._done, self._total, time.monotonic() - self._begun, self._jobs()

    def _jobs(self) -> list[RunningJob]:
        with self._lock:
            return list(self._running.values())

    def _say(self, what: str, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._begun), 60)
        self._print(f"[{minutes:3d}:{seconds:02d}]  {what:<6} {text}")

    def _stream(self) -> TextIO:
        return sys.stdout if self.common_settings.stdout else sys.stderr

    def _print(self, line: str) -> None:
        stream = self._stream()
        try:
            if self._view:
                self._view.print(line)
            else:
                print(line, file=stream, flush=True)
        except BrokenPipeError:  # its reader, e.g. `head`, is gone; the jobs go on
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())
        except OSError as error:  # a full disk; the line is written with the next one that fits
            with suppress(OSError):
                print(f"the output waits: {error.strerror}", file=sys.stderr, flush=True)
