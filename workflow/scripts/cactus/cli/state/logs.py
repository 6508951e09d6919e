"""``cactus logs``: the logs of a cell's jobs, the last one first, or one as it grows."""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from cactus.cli.text import print_json
from cactus.errors import RecordError, printable
from cactus.provenance.execution.attempts import read_state
from cactus.provenance.execution.logs import log_path
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job

_SECONDS: Final = 0.5


class _Log(NamedTuple):
    """A log: when it was written last, in seconds since 1970, and whose it is.

    `place` is that of the job in its chain, for logs that were written at once.
    """

    written: float
    place: int
    path: Path
    job: Job


def show_logs(arguments: argparse.Namespace) -> int:
    """Print the logs of a cell or job.

    Raises
    ------
    RecordError
        None of its jobs has started yet.
    """
    planner = open_run(arguments.run)
    found = sorted(_logs(planner, arguments.cell), reverse=True)
    if arguments.json:
        print_json([{"job": one.job.name, "log": str(one.path)} for one in found])
        return 0
    if not found:
        raise RecordError(
            "There is no log yet.",
            where=str(planner.run_folder / "logs"),
            got=f"none of {arguments.cell}",
            fix="`cactus status` shows what has run; a log is there once the job has started",
        )
    if arguments.follow:
        _follow(planner, found[0])
        return 0
    for one in found:
        written = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.written))
        print(f"==> {one.path} ({written})")
        text = one.path.read_text(encoding="utf-8", errors="replace")
        print(f"{_shown(text.strip())}\n")
    return 0


def _logs(planner: Planner, name: str) -> Iterator[_Log]:
    """Yield the logs of a cell's jobs, with those of attempts that failed."""
    for place, job in enumerate(planner.graph.find(name)):
        path = log_path(planner.run_folder, job)
        kept = sorted(path.parent.glob(f"{path.stem}.attempt-*.log"))
        seen: set[int] = set()
        for one in (path, *kept):
            # The last attempt's log has two names.
            if one.is_file() and one.stat().st_ino not in seen:
                seen.add(one.stat().st_ino)
                yield _Log(one.stat().st_mtime, place, one, job)


def _follow(planner: Planner, log: _Log) -> None:
    """Print a log as it grows until its job ends; begin anew if another attempt replaces it."""
    print(f"==> {log.path}", file=sys.stderr)
    number, offset = -1, 0
    while True:
        state = read_state(planner.run_folder, log.job) or {}
        if log.path.is_file():
            if log.path.stat().st_ino != number:
                number, offset = log.path.stat().st_ino, 0
            with log.path.open("rb") as file:
                file.seek(offset)
                text = file.read()
            offset += len(text)
            sys.stdout.write(_shown(text.decode(errors="replace")))
            sys.stdout.flush()
        if state.get("state") != "running":
            break
        time.sleep(_SECONDS)
    ended = f", {state['state']}" if state else ""
    print(f"==> {log.job.name} is not running{ended}", file=sys.stderr)


def _shown(text: str) -> str:
    """Return a log without what a terminal would act on."""
    return "\n".join(map(printable, text.split("\n")))
