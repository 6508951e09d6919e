import os
import signal

import pytest

from cactus.errors import StoppedError
from cactus.train.stop import StopRequest

SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@SIGNALS
def test_a_signal_stops_at_once_and_handlers_are_put_back(number):
    before = signal.getsignal(number)
    with pytest.raises(StoppedError) as caught, StopRequest("meta_train/omniglot/acai"):  # noqa: PT012
        send(number)
        pytest.fail("the signal was not heeded")
    assert signal.getsignal(number) is before
    assert caught.value.exit_code == 75
    assert caught.value.got == signal.Signals(number).name
    assert caught.value.where == "meta_train/omniglot/acai"
    assert "run the workflow again" in caught.value.fix


def test_handlers_are_put_back_without_a_signal():
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest("job") as stop:
        assert signal.getsignal(signal.SIGTERM) != before
        assert not stop.requested
    assert signal.getsignal(signal.SIGTERM) is before


@SIGNALS
def test_a_deferred_signal_is_noted(number):
    with StopRequest("job") as stop, pytest.raises(StoppedError), stop.deferred():  # noqa: PT012
        assert not stop.requested
        send(number)
        assert stop.requested
        raise stop.error(7)
    assert str(stop.error(7)).endswith("it resumes from step 7")
    assert stop.error(7).where == "job, after step 7"


def test_a_request_that_the_block_does_not_heed_stops_at_its_end():
    done = []
    with StopRequest("job") as stop, pytest.raises(StoppedError):  # noqa: PT012
        with stop.deferred():
            send(signal.SIGTERM)
            done.append("block")
        done.append("after")
    assert done == ["block"]


def test_another_error_of_the_block_is_not_hidden():
    with StopRequest("job") as stop, pytest.raises(ZeroDivisionError), stop.deferred():  # noqa: PT012
        send(signal.SIGTERM)
        raise ZeroDivisionError


def test_signals_of_one_burst_are_one_request_and_later_ones_stop_at_once():
    clock = Clock()
    with StopRequest("job", clock) as stop, pytest.raises(StoppedError), stop.deferred():  # noqa: PT012
        send(signal.SIGINT)
        clock.now += 1.0
        send(signal.SIGTERM)
        clock.now += 5.0
        send(signal.SIGTERM)
        pytest.fail("the second request was not heeded")


def test_a_burst_does_not_interrupt_the_ending_that_its_first_signal_began():
    ended = []

    def end() -> None:
        send(signal.SIGTERM)
        ended.append("whole")

    with pytest.raises(StoppedError), StopRequest("job"):  # noqa: PT012
        try:
            send(signal.SIGTERM)
        finally:
            end()
    assert ended == ["whole"]
