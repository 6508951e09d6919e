"""A `python` for Snakemake's jobs, and Snakemake, forked from a process with the slow libraries."""

import atexit
import os
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

_CLIENT: Final = Path(__file__).with_name("client.py")
_SERVER: Final = Path(__file__).with_name("server.py")


@cache
def warm_python() -> str:
    """Return a folder with a `python` whose jobs are forked from a process that ends with this.

    The command `snakemake` beside it is forked, too.
    """
    place = tempfile.TemporaryDirectory(prefix="cactus-warm-")
    folder = Path(place.name)
    address = folder / "address"
    snakemake = str(Path(sys.executable).with_name("snakemake"))
    for name, command in ("python", list[str]()), ("snakemake", [snakemake]):
        names = f"ADDRESS, PYTHON, COMMAND = {str(address)!r}, {sys.executable!r}, {command!r}\n"
        program = folder / name
        program.write_text(f"#!{sys.executable} -IS\n{names}{_CLIENT.read_text()}")
        program.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(64)
        variables = {**os.environ, "MPLBACKEND": "Agg"}
        variables.pop("PYTHONPATH", None)
        server = subprocess.Popen(
            [sys.executable, "-P", str(_SERVER), str(listener.fileno())],
            pass_fds=[listener.fileno()],
            env=variables,
            cwd=folder,
            stdin=subprocess.DEVNULL,
        )

    def end() -> None:
        server.terminate()
        server.wait()
        place.cleanup()

    atexit.register(end)
    return place.name
