"""Daemons that tests start by hand and stop by their pids."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class Daemon:
    """A daemon that runs in the foreground, as a child of this process, and dies with it.

    Parameters
    ----------
    command
        The program, as a full path, and its arguments.
    log
        File for its output.
    environment
        Its environment.
    """

    def __init__(self, command: list[str], log: Path, environment: dict[str, str]) -> None:
        self.command, self.log, self.environment = command, log, environment
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return Path(self.command[0]).name

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def died(self) -> bool:
        """Whether it exited without being stopped."""
        return self.process is not None and self.process.poll() is not None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,  # Ctrl-C of the tests must not reach it
                preexec_fn=_die_with_parent,
            )

    def stop(self, sent: signal.Signals = signal.SIGTERM, patience: float = 15) -> None:
        if self.process is None:
            return
        if self.process.poll() is None and command_name(self.process.pid) == self.name[:15]:
            self.process.send_signal(sent)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


def require(problem: str) -> None:
    """Skip the test if there is a problem; fail it where CACTUS_REQUIRE_SLURM=1 rules that out."""
    if problem and os.environ.get("CACTUS_REQUIRE_SLURM") == "1":
        pytest.fail(f"CACTUS_REQUIRE_SLURM=1, but {problem}")
    if problem:
        pytest.skip(problem)


def command_name(pid: int) -> str:
    """Return the name of a process, which tells whether its pid was reused."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def free_ports(count: int) -> list[int]:
    """Return ports on loopback that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports: list[int] = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_until(
    condition: Callable[[], bool], what: str, timeout: float, report: Callable[[], str] = str
) -> None:
    """Wait until a condition holds; on timeout fail with its name and a report."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout:.0f} s: {what}\n{report()}")
        time.sleep(0.5)  # what is asked may start a program of Slurm, on cores that others need


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    os.umask(0o022)
