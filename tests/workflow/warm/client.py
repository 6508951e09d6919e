# Asks for a process that runs a stage's script, or a command, and passes on signals and how it
# ends. Other calls go to the real Python. `warm/jobs.py` puts a first line and three names above.
import json
import os
import signal
import socket
import sys


def main() -> None:
    """Run what the command line says."""
    words = [*COMMAND, *sys.argv[1:]]  # type: ignore[name-defined]  # noqa: F821
    if words and words[0].endswith("/workflow/scripts/preloaded"):
        words = words[2:]  # here, the libraries are loaded anyway
    script = words and "/workflow/scripts/" in words[0] and words[0].endswith(".py")
    if not (script or COMMAND):  # type: ignore[name-defined]  # noqa: F821
        os.execv(PYTHON, [PYTHON, *words])  # type: ignore[name-defined]  # noqa: F821
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(ADDRESS)  # type: ignore[name-defined]  # noqa: F821
        request = {"words": words, "folder": os.getcwd(), "variables": dict(os.environ)}  # noqa: PTH109
        socket.send_fds(server, [b"-"], [0, 1, 2])
        with server.makefile("rw") as stream:
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            job = int(stream.readline())
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
                signal.signal(number, lambda number, _: os.kill(job, number))
            status = int(stream.readline())
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) != signal.SIGKILL:
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    sys.exit(os.waitstatus_to_exitcode(status))


main()
