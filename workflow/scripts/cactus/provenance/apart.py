"""Work that another process does at the same time."""

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def started_apart(
    prepare: Callable[[], None], work: Callable[[_Task], _Result]
) -> Callable[[_Task], Callable[[], _Result]]:
    """Prepare some work in a copy of this process, and return what hands a task to it.

    The copy has all that was read so far. It may be made where no other thread runs and no library
    that has threads of its own was used, as at the start of a command. Handing a task over returns
    what waits for the result. What the work raises is raised by the wait. If the process is killed,
    the wait does the work itself.
    """
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(prepare, work, here, there), daemon=True)
    process.start()
    there.close()

    def hand_over(task: _Task) -> Callable[[], _Result]:
        with suppress(ConnectionError):  # it was killed, as the wait will see
            here.send(task)

        def wait() -> _Result:
            try:
                result, error = here.recv()
            except (EOFError, ConnectionError):
                return work(task)
            finally:
                process.join()
                here.close()
            if error is not None:
                raise error
            return result  # type: ignore[no-any-return]

        return wait

    return hand_over


def _serve(
    prepare: Callable[[], None],
    work: Callable[[_Task], object],
    here: Connection,
    there: Connection,
) -> None:
    here.close()  # or this process would not see that the other one ended
    for one in (signal.SIGINT, signal.SIGTERM):  # both end it without a word
        signal.signal(one, signal.default_int_handler)
    try:
        prepare()
        there.send((work(there.recv()), None))
    except (KeyboardInterrupt, EOFError):
        return  # what the work had open is closed
    except Exception as error:  # raised again by who waits
        there.send((None, error))
