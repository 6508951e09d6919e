"""How Snakemake is called for a run."""

import contextlib
import os
import pty
import sys
from pathlib import Path

from cactus.cli.snakemake_call import SnakemakeCall


def test_jobs_find_the_python_of_this_process_without_an_activated_environment(
    monkeypatch, tmp_path: Path, capfd
):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    show = "import os, sys; print(os.environ['PATH'], sys.argv[1:], os.getcwd()); sys.exit(3)"
    call = SnakemakeCall(tmp_path, "results/x", [sys.executable, "-c", show], ["--study"])
    assert call.run("paper", "-n") == 3
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    assert capfd.readouterr().out == f"{path} ['paper', '-n', '--study'] {tmp_path}\n"


# Prints how many times it was interrupted within a moment.
COUNT = """
import signal, time
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
print("ready", flush=True)
end = time.monotonic() + 60
while not seen and time.monotonic() < end:
    time.sleep(0.05)
time.sleep(2)
print("interrupted", len(seen), flush=True)
"""


def test_ctrl_c_reaches_snakemake_once(tmp_path: Path):
    call = (
        f"SnakemakeCall(Path({str(tmp_path)!r}), '', [sys.executable, '-c', {COUNT!r}], []).run()"
    )
    module = SnakemakeCall.__module__
    script = f"import sys\nfrom pathlib import Path\nfrom {module} import SnakemakeCall"
    child, terminal = pty.fork()
    if not child:
        os.execv(sys.executable, [sys.executable, "-c", f"{script}\n{call}"])
    seen = b""
    with contextlib.suppress(OSError):  # its end is closed
        while chunk := os.read(terminal, 1 << 12):
            if b"ready" in chunk:
                os.write(terminal, b"\x03")
            seen += chunk
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130
    assert b"interrupted 1" in seen, seen
