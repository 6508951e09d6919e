"""Processes that have imported a project's own package, from which its commands are forked.

A copy of the project has its own `cactus`, whose import takes as long as half of a short command.
Its process serves as long as no source differs from what it has imported.
"""

import atexit
import gc
import hashlib
import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from threading import Lock
from typing import Final

# With what they import, most of what commands need.
_PRELOADED: Final = (
    "cactus.cli.provenance.audit", "cactus.cli.provenance.why", "cactus.cli.provenance.trace",
    "cactus.cli.study.plan", "cactus.cli.study.update", "cactus.cli.state.status",
    "cactus.cluster.start", "cactus.paper.aggregate", "cactus.provenance.staleness.custom_code",
    "cactus.provenance.staleness.module_study",
)  # fmt: skip
_MOST: Final = 3  # processes that wait at a time; each takes some 100 MB

# Runs in a forked process: the module, its arguments, its folder, its variables, its two files.
Request = tuple[str, tuple[str, ...], Path, dict[str, str], tuple[Path, Path]]
Run = Callable[[Request], None]


@dataclass
class _Waiting:
    """A process that has imported the package of a folder, and what it imported."""

    connection: Connection
    sources: str
    variables: dict[str, str]


class Packages:
    """The processes of some folders, started when a folder is asked for a second time.

    Parameters
    ----------
    context
        Starts processes that have imported Snakemake.
    prepare
        Makes the package importable in a new process, given its variables.
    run
        Runs a request in a process forked from that one, and does not return.
    """

    def __init__(
        self, context: ForkServerContext, prepare: Callable[[Mapping[str, str]], None], run: Run
    ) -> None:
        self._context, self._prepare, self._run = context, prepare, run
        self._lock = Lock()
        self._seen: dict[str, str] = {}
        self._waiting: dict[str, _Waiting] = {}
        atexit.register(self._end)

    def call(self, request: Request) -> int | None:
        """Run a request, and return its exit code; None if no process has this package yet."""
        _, _, folder, variables, _ = request
        path = variables["PYTHONPATH"]
        if not self._lock.acquire(blocking=False):
            return None  # another thread's call is running
        try:
            sources = _sources(Path(path))
            waiting = self._waiting.get(path)
            if waiting is None and self._seen.get(path) == sources:
                waiting = self._started(folder, variables, sources)
            self._seen[path] = sources
            if not waiting or (waiting.sources, waiting.variables) != (sources, variables):
                return None
            return self._answer(path, waiting.connection, request)
        finally:
            self._lock.release()

    def _answer(self, path: str, connection: Connection, request: Request) -> int | None:
        """Return the exit code of a request; None if the package could not be imported."""
        try:
            connection.send(request)
            code: int = connection.recv()
        except (EOFError, OSError):  # the command, started anew, says what is wrong
            del self._waiting[path]
            return None
        return code

    def _started(self, folder: Path, variables: dict[str, str], sources: str) -> _Waiting:
        while len(self._waiting) >= _MOST:
            self._waiting.pop(next(iter(self._waiting))).connection.close()
        here, there = self._context.Pipe()
        arguments = there, folder, variables, self._prepare, self._run
        self._context.Process(target=_serve, args=arguments).start()
        there.close()
        found = self._waiting[variables["PYTHONPATH"]] = _Waiting(here, sources, variables)
        return found

    def _end(self) -> None:
        for one in self._waiting.values():
            one.connection.close()


def _sources(folder: Path) -> str:
    """Return a hash of all Python files below a folder, with their names."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes() if path.is_file() else b""
        found.update(f"{path} {len(content)}\n".encode() + content)
    return found.hexdigest()


def _serve(
    connection: Connection,
    folder: Path,
    variables: dict[str, str],
    prepare: Callable[[Mapping[str, str]], None],
    run: Run,
) -> None:
    """Import a package, then fork a process for each request until the client ends."""
    os.chdir(folder)
    prepare(variables)
    for name in _PRELOADED:
        importlib.import_module(name)
    gc.freeze()  # a collection would touch, and so copy, all that processes share
    while True:
        try:
            request: Request = connection.recv()
        except EOFError:
            return
        job = os.fork()
        if job == 0:
            connection.close()
            run(request)
        _, status = os.waitpid(job, 0)
        connection.send(os.waitstatus_to_exitcode(status))
