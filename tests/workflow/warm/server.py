"""Imports the slow libraries once, and forks a process for each script that a client asks for."""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any, TextIO

PRELOADED = (
    "torch", "pandas", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf",
    "seaborn", "PIL.Image", "scipy.special", "sklearn.cluster", "sklearn.metrics", "pydantic",
    "yaml",
)  # fmt: skip


def main() -> None:
    """Serve until this process is ended."""
    for name in PRELOADED:
        importlib.import_module(name)
    runpy.run_path(str(Path(__file__).with_name("snakemake_imports.py")))
    gc.freeze()  # a collection would touch, and so copy, all that processes share
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers leave nothing behind
    listener = socket.socket(fileno=int(sys.argv[1]))
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            keep(connection)
            return
        connection.close()


def keep(connection: socket.socket) -> None:
    """Start what a client asks for, as a process that ends with the client; say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, files, *_ = socket.recv_fds(connection, 1, 3)
    stream = connection.makefile("rw")
    request = json.loads(stream.readline())
    job = os.fork()
    if job == 0:
        run(request, files, connection, stream)
        return
    stream.write(f"{job}\n")
    stream.flush()
    ended = os.pidfd_open(job)
    ready, _, _ = select.select([connection.fileno(), ended], [], [])
    if ended not in ready:  # the client was killed
        os.kill(job, signal.SIGKILL)
    _, status = os.waitpid(job, 0)
    try:
        stream.write(f"{status}\n")
        stream.flush()
    except BrokenPipeError:
        pass
    os._exit(0)


def run(
    request: dict[str, Any], files: list[int], connection: socket.socket, stream: TextIO
) -> None:
    """Become the process that the client would have been."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, closefd=False)  # type: ignore[misc]
    stream.close()
    connection.close()
    os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["variables"])
    path = os.environ.get("PYTHONPATH")
    script = request["words"][0]
    sys.argv = request["words"]
    sys.path[:0] = [str(Path(script).parent), *(path.split(os.pathsep) if path else [])]
    runpy.run_path(script, run_name="__main__")


main()
