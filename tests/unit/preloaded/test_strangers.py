"""No job goes to a server of another user, and no server takes a job of a stranger."""

import os
import socket
import subprocess
import sys
import threading

import pytest

from preloaded import client, server
from preloaded.protocol import DRIVER

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
ADDRESS = f"\0cactus-test-{os.getpid()}".encode()
LISTENS = f"""
import os, socket, time
os.setuid(65534)
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
    listener.bind({ADDRESS!r})
    listener.listen()
    print("listens", flush=True)
    time.sleep(100)
"""
ASKS = f"""
import ctypes, os, socket, sys
if sys.argv[1] == "another user":
    os.setuid(65534)
if sys.argv[1] == "a container" and ctypes.CDLL(None).unshare(0x20000):  # CLONE_NEWNS
    sys.exit("cannot")
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
    connection.connect({ADDRESS!r})
    try:
        print(connection.recv(5).decode())
    except ConnectionResetError:
        print()
"""


def test_a_server_of_another_user_gets_no_job(monkeypatch):
    with subprocess.Popen([sys.executable, "-c", LISTENS], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = client._connection(ADDRESS)
        monkeypatch.setattr(client, "peer", lambda _: (process.pid, os.getuid()))
        own = client._connection(ADDRESS)
        process.kill()
    assert found is None
    assert own is not None, "it listens"
    own.close()
    assert client._connection(ADDRESS) is None


@pytest.mark.parametrize("kind", ["ours", "another user", "a container"])
def test_a_server_takes_no_job_of_a_stranger(driver, monkeypatch, kind: str):
    monkeypatch.setenv(DRIVER, str(driver.pid))
    tests, command = os.getpid(), [sys.executable, "-c", ASKS, kind]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(ADDRESS)
        listener.listen()
        asks = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        def end() -> None:
            asks.wait()
            driver.kill()

        threading.Thread(target=end).start()
        taken = server._next_client(listener, server._installed())
        if os.getpid() != tests:  # a fork, for the client
            assert taken is not None
            taken.send(b"taken")
            os._exit(0)
    assert taken is None, "the driver has ended"
    answer, errors = asks.communicate()
    if errors == "cannot\n":
        pytest.skip("this process may not make a mount namespace")
    assert (answer, errors) == ("taken\n" if kind == "ours" else "\n", "")
