"""A process that has loaded libraries, and nothing of this project; jobs are forks of it.

It ends with the run's Snakemake. Each job has a keeper, a fork as well, which passes on signals and
how the job ends. The job ends with the client that waits for it.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import Final, NoReturn

if __name__ == "__main__":
    # Python puts this folder first on the path, where a script has its own.
    sys.path[0] = os.path.dirname(sys.path[0])  # noqa: PTH120

from preloaded.protocol import DRIVER, REQUEST_BYTES, STATUS, TAKEN, of_this_user

_BOOKKEEPING: Final = ("numpy.random", "pydantic.main", "yaml")  # what every job imports
_PATIENCE: Final = 10.0  # seconds that a client has for its request
_PR_SET_PDEATHSIG: Final = 1  # in Linux's prctl.h, as the next
_PR_SET_NAME: Final = 15


def main() -> None:
    """Load the libraries that the command line names, and serve; a fork runs its job."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    listener.set_inheritable(False)
    installed = _installed()
    # Set before Matplotlib is imported, as for a job (`cactus.command`).
    os.environ["MPLBACKEND"] = "Agg"
    for name in (*_BOOKKEEPING, *sys.argv[2].split(",")):
        importlib.import_module(name)
    gc.freeze()  # a collection would touch, and so copy, all that processes share
    client = _next_client(listener, installed)
    if client is not None:
        _keep(client)


def _next_client(listener: socket.socket, installed: dict[str, int]) -> socket.socket | None:
    """Serve until the driver has ended or libraries change; return the client in each fork."""
    driver = os.pidfd_open(int(os.environ[DRIVER]))
    while driver not in _readable(listener.fileno(), driver):
        _reap()
        with suppress(OSError):  # a client that has gone, or no room for a process
            client, _ = listener.accept()
            if installed != _installed():
                break
            if not os.fork():
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


def _keep(client: socket.socket) -> NoReturn:
    """Run a client's job in a fork of this process, pass on what concerns it, and end."""
    client.settimeout(_PATIENCE)
    text, streams, _, _ = socket.recv_fds(client, REQUEST_BYTES, 3)
    client.settimeout(None)
    if not text or not of_this_user(client):
        os._exit(1)
    keeper = os.getpid()
    job = os.fork()
    if not job:
        prctl = ctypes.CDLL(None).prctl
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:  # it has just ended
            os._exit(1)
        client.close()
        request = json.loads(text)
        # `top` shows the name.
        prctl(_PR_SET_NAME, os.path.basename(request["command"][0]).encode())  # noqa: PTH119
        _run(streams=streams, **request)
    for one in streams:
        os.close(one)
    with suppress(OSError):  # the client has gone
        client.send(TAKEN)
    status = _wait(job, client)
    with suppress(OSError):
        client.send(STATUS.pack(status))
    os._exit(0)


def _wait(job: int, client: socket.socket) -> int:
    """Pass signals on to a job until it ends, and return its wait status."""
    ended = os.pidfd_open(job)
    while ended not in _readable(client.fileno(), ended):
        number = 0
        with suppress(OSError):
            number = int.from_bytes(client.recv(1))
        # As the only process of its group, the job would ignore SIGTSTP.
        signals = {signal.SIGTSTP: signal.SIGSTOP, 0: signal.SIGKILL}
        os.kill(job, signals.get(number, number))
        if not number:  # the client has gone, and nobody wants the job
            break
    return os.waitpid(job, 0)[1]


def _run(command: list[str], variables: dict[str, str], streams: list[int]) -> NoReturn:
    """Run a script in this process as Python would have, and end it.

    Python would also clear all modules at its end, one object after the other; for PyTorch's, that
    takes a third of a second.

    Parameters
    ----------
    command
        The script's path and its arguments.
    variables
        The client's environment.
    streams
        Its standard streams.
    """
    for stream, copy in enumerate(streams):
        os.dup2(copy, stream)
        os.close(copy)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv[:] = command
    code: object = 1
    try:
        runpy.run_path(command[0], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code
        if not isinstance(code, int | None):
            print(code, file=sys.stderr)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        code = error
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    if isinstance(code, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code & 0xFF if isinstance(code, int) else int(code is not None))


def _readable(*descriptors: int) -> set[int]:
    """Wait until one can be read, or has nobody at its other end; return those."""
    poll = select.poll()
    for one in descriptors:
        poll.register(one, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll()}


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
