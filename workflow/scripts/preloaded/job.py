"""What a fork of the server does: it runs a script as Python would, in the client's place."""

import atexit
import ctypes
import gc
import importlib
import io
import os
import signal
import sys
import threading
import types
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from preloaded.protocol import FORWARDED, START

_WRITING = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)


def run(command: list[str], variables: dict[str, str], streams: list[int]) -> NoReturn:
    """Run a script in this process as Python would have, and end it.

    Python would also clear all modules at its end, one object after the other; for PyTorch's, that
    takes a third of a second.

    Parameters
    ----------
    command
        The script's path and its arguments.
    variables
        The environment.
    streams
        The standard streams.
    """
    for stream, copy in enumerate(streams):
        os.dup2(copy, stream)
        os.close(copy)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv[:] = command
    importlib.invalidate_caches()  # folders of the path may be newer than this process
    sys.modules["numpy"].random.seed()  # or code of a user's would draw the same in all jobs
    code: object = 0
    try:
        # What arrived since the fork is for the script.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (*FORWARDED, START))
        _run_script(command[0])
    except SystemExit as end:
        code = end.code
        if not isinstance(code, int | None):
            print(code, file=sys.stderr)
    except BaseException as error:
        _tell(error)
        code = error
    _end(code)


def _run_script(path: str) -> None:
    """Run a script as the main module, which it stays for its threads and for `atexit`."""
    module = types.ModuleType("__main__")
    module.__file__ = path
    sys.modules["__main__"] = module
    exec(compile(Path(path).read_bytes(), path, "exec", dont_inherit=True), module.__dict__)


def _tell(error: BaseException) -> None:
    """Tell of an error as Python does, without the calls of this module."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)


def _end(code: object) -> NoReturn:
    """End this process as Python would have; `code` is that of `SystemExit`, or an error."""
    steps: list[Callable[[], object]] = [
        threading._shutdown,  # type: ignore[attr-defined]
        atexit._run_exitfuncs,
        # A handler that raises, as a second SIGTERM's may, would end the flushing.
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED),
        _flush,
    ]
    failed = False
    for step in steps:
        try:
            step()
        except BaseException as error:
            _tell(error)
            failed = step is _flush
    if type(code) is KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        os.kill(os.getpid(), signal.SIGINT)
    status = code & 0xFF if isinstance(code, int) else int(code is not None)
    os._exit(120 if failed else status)  # as Python does


def _flush() -> None:
    """Write what is still in memory, also of files that the script has not closed."""
    for one in gc.get_objects():
        if issubclass(type(one), _WRITING):  # `isinstance` would ask proxies, which may be dead
            with suppress(Exception):  # closed, for reading, or a pipe without a reader
                one.flush()
    ctypes.CDLL(None).fflush(None)  # libraries in C
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not getattr(stream, "closed", False):
            stream.flush()
