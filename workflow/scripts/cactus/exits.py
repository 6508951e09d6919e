"""How a process ends: what a user can mend is told in a few lines, and signals leave no traceback.

`cactus.command` imports this before anything that takes time, so that it also holds while a script
is still being imported.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Final, NoReturn

from cactus.errors import CactusError
from cactus.refusals import explained

# SIGKILL is the only signal that ends a process without these words.
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNAL_CODES: Final = tuple(128 + one for one in _ENDING)  # exit codes after each


def run_main(main: Callable[[], None]) -> None:
    """Run a script's `main`; print what a user can mend without a traceback and exit with its code.

    A signal that ends the process gives the exit code of a shell, 128 and its number, after the
    cleaning-up of every block that it interrupts.
    """
    _escape_characters()
    # A caller like nohup may have chosen to ignore a signal.
    mine = [one for one in _ENDING if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, _end) for one in mine}
    try:
        try:
            main()
        finally:
            _flush()
    except BrokenPipeError:  # the reader, e.g. `head`, has closed the pipe
        raise SystemExit(128 + signal.SIGPIPE) from None
    except Exception as error:
        told = explained(error)
        if told is None:
            raise
        _stop(told)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _flush() -> None:
    """Write what is still in memory; if that fails, drop it, or Python would try again."""
    try:
        if sys.stdout is not None:  # the caller may have closed it
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _end(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    for one in _ENDING:  # the next one does not wait for the cleaning-up
        signal.signal(one, signal.SIG_DFL)
    raise SystemExit(128 + number)


def _escape_characters() -> None:
    """Let the terminal show the code of a character that its encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # a test or a notebook may have put another object here
            reconfigure(errors="backslashreplace")


def _stop(error: CactusError) -> NoReturn:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    raise SystemExit(error.exit_code) from None


@contextmanager
def message_alone() -> Iterator[None]:
    """Print what a user can mend in a Snakefile without Snakemake's traceback; exit with code 1."""
    try:
        yield
    except Exception as error:
        told = explained(error)
        if told is None:
            raise
        print(f"{type(told).__name__}: {told}", file=sys.stderr, flush=True)
        raise SystemExit(1) from None


@contextmanager
def signals_forwarded(send: Callable[[int], None]) -> Iterator[None]:
    """Pass signals that would end this process to the child that it waits for; then end."""
    received: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        del frame
        received.append(number)
        send(number)

    before = {one: signal.signal(one, forward) for one in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received:
        raise SystemExit(128 + received[0])


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell of an error that nothing caught: mostly one while a script is being imported."""
    chain, one = [], error
    while one is not None and one not in chain:
        chain.append(one)
        one = one.__cause__ or one.__context__  # type: ignore[assignment]
    if any(isinstance(one, KeyboardInterrupt) for one in chain):
        _flush()
        os._exit(128 + signal.SIGINT)  # Python would kill itself instead, and give another code
    told = explained(error)
    if told is None:
        sys.__excepthook__(kind, error, trace)
    else:
        print(f"{type(told).__name__}: {told}", file=sys.stderr)


sys.excepthook = _hook
