"""What a job's client and its server tell each other, through a socket that keeps messages apart.

The client sends a request with its three standard streams, and the server answers `TAKEN`. Then the
client sends the numbers of signals, a byte each, of which the first lets the job start, and the
server the job's wait status. The job stops and continues as the client does.
"""

import signal
import socket
import struct
from typing import Final

DRIVER: Final = "CACTUS_PRELOADED_BY"  # a variable: the process id of the run's Snakemake
REQUEST_BYTES: Final = 150_000  # well below the limit of a message, net.core.wmem_default
TAKEN: Final = b"taken"
STATUS: Final = struct.Struct("i")
START: Final = signal.SIGCONT
FORWARDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_CREDENTIALS: Final = struct.Struct("iII")  # process, user, group


def peer(connection: socket.socket) -> tuple[int, int]:
    """Return the process and the user at the other end: anyone may use an abstract address."""
    size = _CREDENTIALS.size
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    process, user, _ = _CREDENTIALS.unpack(credentials)
    return process, user
