"""What a job's client and its server tell each other, through a socket that keeps messages apart.

The client sends a request with its three standard streams, and the server answers `TAKEN`. Then the
client sends the numbers of signals, a byte each, and the server the job's wait status.
"""

import os
import signal
import socket
import struct
from typing import Final

DRIVER: Final = "CACTUS_PRELOADED_BY"  # a variable: the process id of the run's Snakemake
REQUEST_BYTES: Final = 150_000  # well below the limit of a message, net.core.wmem_default
TAKEN: Final = b"taken"
STATUS: Final = struct.Struct("i")
FORWARDED: Final = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2),
    *(signal.SIGTSTP, signal.SIGCONT),
)
_CREDENTIALS: Final = struct.Struct("3i")  # process, user, group


def of_this_user(connection: socket.socket) -> bool:
    """Return whether the other end is of this user: anyone may use an abstract address."""
    size = _CREDENTIALS.size
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    user: int = _CREDENTIALS.unpack(peer)[1]
    return user == os.getuid()
