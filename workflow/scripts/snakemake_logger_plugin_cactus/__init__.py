"""Snakemake log handler: a line when a job starts, and one when it ends.

Use it with ``snakemake --logger cactus``. Each line names the job's cell; the second one adds how
long the job took and how many jobs remain. For a failed job, the end of its log follows.
"""

import sys
import time
from logging import WARNING, LogRecord
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_cactus.own_loader import use_own_loader

_LOG_TAIL_LINES = 25
_SILENT = (LogEvent.SHELLCMD, LogEvent.RESOURCES_INFO, LogEvent.RULEGRAPH, LogEvent.JOB_STARTED)

use_own_loader()


class LogHandler(LogHandlerBase):
    """Prints the progress of a run, one line per event."""

    writes_to_stream = True  # it replaces Snakemake's own output
    writes_to_file = False
    has_filter = True  # `emit` selects the events
    has_formatter = False  # Snakemake formats warnings and errors
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self._begun = time.monotonic()
        self._names: dict[int, str] = {}
        self._starts: dict[int, float] = {}
        self._done = 0
        self._total = 0
        self._print_job = {
            LogEvent.JOB_INFO: self._job_info,
            LogEvent.JOB_FINISHED: self._job_finished,
            LogEvent.JOB_ERROR: self._job_error,
            LogEvent.RUN_INFO: self._run_info,
            LogEvent.PROGRESS: self._progress,
        }

    def emit(self, record: LogRecord) -> None:
        """Print a job's event as a line; print warnings and errors unchanged."""
        event = getattr(record, "event", None)
        if event in self._print_job:
            self._print_job[event](vars(record))
        elif event not in _SILENT and record.levelno >= WARNING:
            text = self.format(record)
            # This error repeats a failed job's whole shell command; the job's log says more.
            if "CalledProcessError in file" not in text:
                self._print(text)

    def _run_info(self, fields: dict[str, Any]) -> None:
        stats: dict[str, int] = fields["stats"]
        self._total = stats.get("total", sum(stats.values()))
        rules = ", ".join(f"{count} {rule}" for rule, count in stats.items() if rule != "total")
        self._print(f"{self._total} jobs: {rules}")

    def _job_info(self, fields: dict[str, Any]) -> None:
        name = fields["rule_msg"] or fields["rule_name"]
        self._names[fields["jobid"]] = name
        self._starts[fields["jobid"]] = time.monotonic()
        self._print(f"{self._clock()}  start  {name}")

    def _job_finished(self, fields: dict[str, Any]) -> None:
        jobid = fields["job_id"]
        self._done += 1
        seconds = time.monotonic() - self._starts.get(jobid, time.monotonic())
        self._print(
            f"{self._clock()}  done   {self._names.get(jobid, jobid)}  "
            f"{seconds:.1f} s  ({self._done} of {self._total}, "
            f"{self._total - self._done} remain)"
        )

    def _progress(self, fields: dict[str, Any]) -> None:
        self._total = fields["total"]

    def _job_error(self, fields: dict[str, Any]) -> None:
        self._print(
            f"{self._clock()}  FAILED {self._names.get(fields['jobid'], fields['rule_name'])}"
        )
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

    def _clock(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._begun), 60)
        return f"[{minutes:3d}:{seconds:02d}]"

    def _print(self, line: str) -> None:
        stream = sys.stdout if self.common_settings.stdout else sys.stderr
        print(line, file=stream, flush=True)
