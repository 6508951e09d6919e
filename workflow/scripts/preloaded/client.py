"""The process that Snakemake starts and waits for, while the job is a fork of a server."""

import hashlib
import json
import os
import resource
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Final, NoReturn

from preloaded.protocol import DRIVER, FORWARDED, REQUEST_BYTES, START, STATUS, TAKEN, peer

_SERVER: Final = os.path.join(os.path.dirname(__file__), "server.py")  # noqa: PTH118, PTH120
# Shells set these anew for each command; no library reads them when it is loaded.
_OF_SHELLS: Final = frozenset({"_", "SHLVL", "PWD", "OLDPWD"})
_PATIENCE: Final = 1.0  # seconds in which a server that another job starts begins to listen


def main(libraries: str, command: list[str]) -> NoReturn:
    """Run a script in a fork of the server that has loaded `libraries`, or else by itself.

    Parameters
    ----------
    libraries
        Names of modules of libraries that the script imports, with commas.
    command
        The script's path and its arguments.
    """
    options = sys.orig_argv[1 : -len(sys.argv)]  # of Python
    connection = _connect(options, libraries) if _has_streams() else None
    if connection is not None and _takes(connection, command):
        _wait(connection)
    os.execv(sys.executable, [sys.executable, *options, *command])


def _has_streams() -> bool:
    """Return whether the standard streams are open; else a socket could take the place of one."""
    try:
        return all(os.fstat(one) for one in range(3))
    except OSError:
        return False


def _connect(options: list[str], libraries: str) -> socket.socket | None:
    """Return a connection to the server, which starts if it does not run; None if it cannot."""
    driver = os.environ.get(DRIVER, "")
    if not driver.isdecimal() or not hasattr(os, "pidfd_open"):
        return None
    try:
        os.close(os.pidfd_open(int(driver)))
        address = _address([*options, libraries])
        connection = _connection(address)
        if connection is None:
            _start_server(address, [*options, _SERVER], libraries)
        end = time.monotonic() + _PATIENCE
        while connection is None and time.monotonic() < end:
            time.sleep(0.01)
            connection = _connection(address)
    # An old kernel, a driver that has just died or is none, a limit on processes.
    except (OSError, OverflowError):
        return None
    return connection


def _address(arguments: list[str]) -> bytes:
    """Return the abstract address of the server for jobs that start as this process did."""
    umask = os.umask(0o077)
    os.umask(umask)
    variables = {name: text for name, text in os.environ.items() if name not in _OF_SHELLS}
    python = [*arguments, sys.executable, sys.version, *sys.path]
    # Containers may share addresses, and not files.
    process = [os.readlink("/proc/self/ns/mnt"), os.getcwd(), os.getuid(), umask]  # noqa: PTH109, PTH115
    text = json.dumps([python, process, sorted(variables.items())])
    return b"\0cactus-" + hashlib.sha256(text.encode()).digest()


def _connection(address: bytes) -> socket.socket | None:
    """Return a connection to a server of this user; None if there is none."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(address)
    except ConnectionRefusedError:
        connection.close()
        return None
    if peer(connection)[1] != os.getuid():
        connection.close()
        return None
    return connection


def _start_server(address: bytes, arguments: list[str], libraries: str) -> None:
    """Start a server, unless another job does so right now."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        listener.bind(address)
    except OSError:  # the server of the other job
        listener.close()
        return
    listener.listen(128)
    if child := os.fork():
        listener.close()
        os.waitpid(child, 0)
        return
    try:
        os.setsid()  # Ctrl-C is for the jobs
        if os.fork():
            return
        null = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(null, stream)
        os.set_inheritable(listener.fileno(), True)
        command = [sys.executable, *arguments, str(listener.fileno()), libraries]
        os.execv(sys.executable, command)
    finally:
        os._exit(1)


def _takes(connection: socket.socket, command: list[str]) -> bool:
    """Send the job to the server; return whether it takes it.

    A signal ends this process as it would have ended Python's start.
    """
    request = json.dumps({"command": command, "variables": dict(os.environ)}).encode()
    try:
        if len(request) <= REQUEST_BYTES:
            socket.send_fds(connection, [request], [0, 1, 2])
            return connection.recv(len(TAKEN)) == TAKEN
    except OSError:  # the server has just ended
        pass
    connection.close()
    return False


def _wait(connection: socket.socket) -> NoReturn:
    """Wait for the job, pass signals on to it, and end as it does."""

    def forward(number: int, frame: object) -> None:
        del frame
        with suppress(OSError):  # the job has just ended
            connection.send(bytes([number]))

    for number in FORWARDED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, forward)
    forward(START, None)
    try:
        answer = connection.recv(STATUS.size)
    except ConnectionResetError:  # the last signal came too late; the answer is next
        answer = connection.recv(STATUS.size)
    code = os.waitstatus_to_exitcode(*STATUS.unpack(answer)) if answer else -signal.SIGKILL
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the job has dumped its own
        os.kill(os.getpid(), -code)
    os._exit(code)
