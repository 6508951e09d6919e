"""Work that another process does at the same time."""

import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

_Result = TypeVar("_Result")


def started_apart(work: Callable[[], _Result]) -> Callable[[], _Result]:
    """Start some work in a copy of this process, and return what waits for its result.

    A copy has all that was read so far. It may be made where no other thread runs and no library
    that has threads of its own was used, as at the start of a command. What the work raises is
    raised by the wait. If the process is killed, the wait does the work itself.
    """
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(work, there), daemon=True)
    process.start()
    there.close()

    def wait() -> _Result:
        try:
            result, error = here.recv()
        except EOFError:
            return work()
        finally:
            process.join()
            here.close()
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    return wait


def _send(work: Callable[[], object], there: Connection) -> None:
    for one in (signal.SIGINT, signal.SIGTERM):  # both end it without a word
        signal.signal(one, signal.default_int_handler)
    try:
        there.send((work(), None))
    except KeyboardInterrupt:
        return  # what the work had open is closed
    except Exception as error:  # raised again by who waits
        there.send((None, error))
