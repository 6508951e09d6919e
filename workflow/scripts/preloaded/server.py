"""A process that has loaded libraries, and nothing of this project; jobs are forks of it.

It ends with the run's Snakemake. Each job has a keeper, a fork as well, which passes on signals and
how the job ends. The job ends with the client that waits for it.
"""

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

if __name__ == "__main__":
    # Python puts this folder first on the path, where a script has its own.
    sys.path[0] = os.path.dirname(sys.path[0])  # noqa: PTH120

from preloaded.job import run
from preloaded.protocol import DRIVER, FORWARDED, REQUEST_BYTES, START, STATUS, TAKEN, peer

# What every job imports.
_BOOKKEEPING: Final = (
    *("argparse", "concurrent.futures.thread", "csv", "difflib", "importlib.metadata", "json"),
    *("logging", "subprocess", "tarfile", "tempfile", "zipfile", "numpy.random", "numpy.typing"),
    *("pydantic.fields", "pydantic.main", "pydantic.type_adapter", "pydantic.types", "yaml"),
)
_REQUEST_SECONDS: Final = 10.0  # that a client has for its request
_LOOK_SECONDS: Final = 1.0  # between looks at whether a client is stopped
_PR_SET_PDEATHSIG: Final = 1  # in Linux's prctl.h, as the next
_PR_SET_NAME: Final = 15


def main() -> None:
    """Load the libraries that the command line names, and serve."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    listener.set_inheritable(False)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # to learn how children end
    installed = _installed()
    # Set before Matplotlib is imported, as for a job (`cactus.command`).
    os.environ["MPLBACKEND"] = "Agg"
    before = dict(os.environ)
    for name in (*_BOOKKEEPING, *sys.argv[2].split(",")):
        importlib.import_module(name)
    sys.modules["pydantic.main"].create_model("One", name=(str, ...))  # finds pydantic's plugins
    added = {name: text for name, text in os.environ.items() if before.get(name) != text}
    if "MPLCONFIGDIR" in added:
        return  # a temporary folder of Matplotlib's, which each job would remove at its end
    gc.freeze()  # a collection would touch, and so copy, all that processes share
    client = _next_client(listener, installed)
    if client is not None:
        _keep(client, added)
    os._exit(0)  # to clear all modules would copy what processes share


def _next_client(listener: socket.socket, installed: dict[str, int]) -> socket.socket | None:
    """Serve until the driver has ended or libraries change; return the client in each fork."""
    driver = os.pidfd_open(int(os.environ[DRIVER]))
    while driver not in _readable(listener.fileno(), driver):
        _reap()
        client, _ = listener.accept()
        if installed != _installed():
            break
        with suppress(OSError):  # no room for a process: the job runs by itself
            if _is_ours(client) and not os.fork():
                listener.close()
                os.close(driver)
                return client
        client.close()
    _reap()
    return None


def _reap() -> None:
    """Collect keepers that have ended, whose processor time then counts as this process's."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _keep(client: socket.socket, added: dict[str, str]) -> NoReturn:
    """Run a client's job in a fork of this process, pass on what concerns it, and end.

    Parameters
    ----------
    client
        The connection to the client.
    added
        Variables that libraries have set when they were loaded.
    """
    # The keeper outlives what is sent to all processes, until its job has ended.
    signal.pthread_sigmask(signal.SIG_BLOCK, (*FORWARDED, START))
    client.settimeout(_REQUEST_SECONDS)
    keeper = os.getpid()
    try:
        text, streams, _, _ = socket.recv_fds(client, REQUEST_BYTES, 3)
        job = os.fork() if text and len(streams) == 3 else -1
    except OSError:  # no request in time, no room for a process
        job = -1
    if job < 0:
        os._exit(1)  # the client runs the job by itself
    client.settimeout(None)
    if not job:
        client.close()
        request = json.loads(text)
        request["variables"] |= added
        _prepare(request["command"][0], keeper)
        run(streams=streams, **request)
    with suppress(OSError):  # the job has done so
        os.setpgid(job, job)
    for one in streams:
        os.close(one)
    with suppress(OSError):  # the client has gone
        client.send(TAKEN)
    status = _wait(job, client)
    with suppress(OSError):
        client.send(STATUS.pack(status))
    os._exit(0)


def _prepare(script: str, keeper: int) -> None:
    """Make this process the job that a keeper waits for, and wait until its client is ready."""
    os.setpgid(0, 0)
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != keeper:  # it has just ended
        os._exit(1)
    prctl(_PR_SET_NAME, Path(script).name.encode())  # `top` shows it
    signal.sigwait({START})  # or a signal could end the client alone


def _wait(job: int, client: socket.socket) -> int:
    """Pass signals on to a job and its children until it ends; return its wait status.

    They stop and continue as the client does.
    """
    ended, (process, _), stopped = os.pidfd_open(job), peer(client), False
    while ended not in (ready := _readable(client.fileno(), ended, seconds=_LOOK_SECONDS)):
        if ready:
            number = 0
            with suppress(OSError):
                number = int.from_bytes(client.recv(1))
            os.killpg(job, number or signal.SIGKILL)
            if not number:  # the client has gone, and nobody wants the job
                break
        elif stopped != _is_stopped(process):
            stopped = not stopped
            os.killpg(job, signal.SIGSTOP if stopped else signal.SIGCONT)
    return os.waitpid(job, 0)[1]


def _is_ours(client: socket.socket) -> bool:
    """Return whether a client is of this user and sees the same files, unlike a container's."""
    process, user = peer(client)
    files = (os.readlink(f"/proc/{one}/ns/mnt") for one in ("self", process))  # noqa: PTH115
    return user == os.getuid() and len({*files}) == 1


def _is_stopped(process: int) -> bool:
    """Return whether a process is stopped, as by Ctrl-Z."""
    try:
        state = Path(f"/proc/{process}/stat").read_bytes().rpartition(b") ")[2][:1]
    except OSError:  # it has just ended
        return False
    return state == b"T"


def _readable(*descriptors: int, seconds: float | None = None) -> set[int]:
    """Wait until one can be read, or has nobody at its other end; return those of that time."""
    poll = select.poll()
    for one in descriptors:
        poll.register(one, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(seconds and 1000 * seconds)}


def _installed() -> dict[str, int]:
    """Return when something was last installed into each folder of installed libraries."""
    times = {}
    for folder in sys.path:
        if os.path.basename(folder) in ("site-packages", "dist-packages"):  # noqa: PTH119
            with suppress(OSError):
                times[folder] = os.stat(folder).st_mtime_ns  # noqa: PTH116
    return times


if __name__ == "__main__":
    main()
