"""The live view of a run at the bottom of a terminal."""

import sys
from collections.abc import Callable, Sequence
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from snakemake_logger_plugin_cactus.jobs import RunningJob, clock

_PER_SECOND = 2
_BAR = 40


class LiveView:
    """A bar of all jobs and a line for each running one, which stay below the printed lines.

    Parameters
    ----------
    stream
        A terminal.
    state
        Returns the jobs that are done, all jobs, the seconds since the start, and the running jobs.
    """

    def __init__(
        self, stream: TextIO, state: Callable[[], tuple[int, int, float, Sequence[RunningJob]]]
    ) -> None:
        self._state = state
        self.console = Console(file=stream, highlight=False, markup=False)
        self._live = Live(
            console=self.console,
            get_renderable=self._render,
            refresh_per_second=_PER_SECOND,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )

    def start(self) -> None:
        """Show the view until `stop`."""
        self._live.start()

    def stop(self) -> None:
        """Remove the view; what was printed stays."""
        self._live.stop()

    def print(self, line: str) -> None:
        """Print a line above the view."""
        self.console.print(line, soft_wrap=True)

    def _render(self) -> Group:
        done, total, seconds, running = self._state()
        head = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=max(total, 1), completed=done, width=_BAR)
        head.add_row(f"{done} of {total} jobs", bar, clock(seconds))
        jobs = Table.grid(padding=(0, 1))
        for job in running:
            progress = Text(job.progress(), no_wrap=True, overflow="ellipsis")
            jobs.add_row(clock(job.seconds), Text(job.name, no_wrap=True), progress)
        return Group(head, jobs)
