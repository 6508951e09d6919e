"""Jobs that are forks of a process with their libraries run, and end, as by themselves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cactus.provenance.execution.run_job import SCRIPTS
from preloaded.client import _connection
from preloaded.protocol import DRIVER, REQUEST_BYTES

STATE = """
import json, os, pathlib, signal, sys, threading
open_files = {int(one.name) for one in pathlib.Path("/proc/self/fd").iterdir()}
volatile = {"_", "SHLVL"}
print(json.dumps({
    "script": [__name__, __file__, sys.modules["__main__"].__file__],
    "command": [sys.argv, sys.path, sys.flags, os.getcwd(), os.umask(0o022)],
    "variables": {key: text for key, text in os.environ.items() if key not in volatile},
    "signals": [str(signal.getsignal(one)) for one in sorted(signal.valid_signals())],
    "blocked": [*signal.pthread_sigmask(signal.SIG_BLOCK, ())],
    "open": [one for one in open_files if one < 3 or os.path.exists(f"/proc/self/fd/{one}")],
    "own": [name for name in sys.modules if name.partition(".")[0] == "cactus"],
    "threads": threading.active_count(),
    "input": sys.stdin.read(),
}))
print("to the errors", file=sys.stderr)
sys.exit(7)
"""
WAITING = """
import os, signal, sys, time
def end(number, frame):
    print("got", number, flush=True)
    raise SystemExit(128 + number)
signal.signal(signal.SIGTERM, end)
print(os.getpid(), flush=True)
time.sleep(100)
"""
ENDINGS = (
    "pass",
    "raise SystemExit",
    "raise SystemExit(300)",
    "raise SystemExit('a reason')",
    "raise SystemExit([1])",
    "1 / 0",
    "raise KeyboardInterrupt",
    "import atexit; atexit.register(print, 'at the end')",
    "import threading as t; t.Timer(0.2, print, ['late']).start()",
    "import concurrent.futures as c; c.ThreadPoolExecutor().submit(print, 'done')",
    "import os; os.abort()",
    "import sys; sys.stdout.write('no new line')",
)
TELLS_PARENT = "import os, sys; print('colorsys' in sys.modules, os.getppid())"


@pytest.fixture
def driver() -> Iterator[subprocess.Popen[bytes]]:
    """A process that stands for Snakemake; servers end with it."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()
    wait_until(lambda: not servers(process.pid))


def start(
    driver: int | str,
    folder: Path,
    script: str,
    *arguments: str,
    libraries: str = "colorsys,wave",
    **variables: str,
) -> subprocess.Popen[str]:
    """Start a script as a rule does."""
    path = folder / "script.py"
    path.write_text(script)
    command = [sys.executable, str(SCRIPTS / "preloaded"), libraries, str(path), *arguments]

    def notice_signals() -> None:  # which what runs the tests may ignore
        for one in (signal.SIGINT, signal.SIGHUP):
            signal.signal(one, signal.SIG_DFL)

    return subprocess.Popen(
        command,
        preexec_fn=notice_signals,
        cwd=folder,
        env={**os.environ, DRIVER: str(driver), **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(driver: int | str, folder: Path, script: str, **variables: str) -> str:
    process = start(driver, folder, script, **variables)
    text, errors = process.communicate()
    assert process.returncode == 0, errors
    return text


def servers(driver: int) -> list[psutil.Process]:
    """Return the servers of a driver."""
    found = []
    for one in psutil.process_iter(["cmdline"]):
        command = one.info["cmdline"] or []
        if any(word.endswith("preloaded/server.py") for word in command):
            try:
                if one.environ().get(DRIVER) == str(driver):
                    found.append(one)
            except psutil.Error:  # it has just ended
                continue
    return found


def wait_until(condition) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_script_finds_what_it_finds_by_itself(driver, tmp_path: Path):
    found = []
    for one in "off", driver.pid, driver.pid:
        variables = {"OWN": "\udc80 ä"}
        process = start(one, tmp_path, STATE, "--plan", "a b", **variables)
        text, errors = process.communicate("input")
        state = json.loads(text)
        assert state["variables"].pop(DRIVER) == str(one)
        # The script's own folder is where Python puts it; ours comes first in a real job, too.
        state["command"][1].pop(0)
        found.append([state, errors, process.returncode])
    assert found[0] == found[1] == found[2]
    assert found[0][0]["input"] == "input"
    assert found[0][1:] == ["to the errors\n", 7]


@pytest.mark.parametrize("script", ENDINGS)
def test_a_script_ends_as_by_itself(driver, tmp_path: Path, script: str):
    found = []
    for one in "off", driver.pid:
        process = start(one, tmp_path, script)
        text, errors = process.communicate()
        found.append((text, errors.splitlines()[-1:], process.returncode))
    assert found[0] == found[1]


def test_libraries_are_loaded_once(driver, tmp_path: Path):
    assert output("off", tmp_path, TELLS_PARENT).startswith("False")
    texts = [output(driver.pid, tmp_path, TELLS_PARENT) for _ in range(3)]
    assert all(text.startswith("True") for text in texts)
    assert len(servers(driver.pid)) == 1


def test_two_first_jobs_share_a_server(driver, tmp_path: Path):
    processes = [start(driver.pid, tmp_path, TELLS_PARENT) for _ in range(8)]
    assert all(one.communicate()[0].startswith("True") for one in processes)
    assert len(servers(driver.pid)) == 1


def test_code_is_read_anew(driver, tmp_path: Path):
    module = tmp_path / "own_module.py"
    for text in "first", "again":  # of equal size, within a second
        module.write_text(f"TEXT = {text!r}\n")
        script = "import sys; sys.dont_write_bytecode = True; import own_module as m; print(m.TEXT)"
        assert output(driver.pid, tmp_path, script, PYTHONPATH=str(tmp_path)) == f"{text}\n"


def test_another_environment_has_another_server(driver, tmp_path: Path):
    for number in "1", "2":
        script = "import os; print(os.environ['OMP_NUM_THREADS'])"
        assert output(driver.pid, tmp_path, script, OMP_NUM_THREADS=number) == f"{number}\n"
    assert len(servers(driver.pid)) == 2


def test_a_new_library_ends_the_server(driver, tmp_path: Path):
    packages = tmp_path / "site-packages"
    packages.mkdir()
    variables = {"PYTHONPATH": str(packages)}
    output(driver.pid, tmp_path, TELLS_PARENT, **variables)
    (first,) = servers(driver.pid)
    (packages / "new.py").touch()
    output(driver.pid, tmp_path, TELLS_PARENT, **variables)  # the server ends, the job has none
    output(driver.pid, tmp_path, TELLS_PARENT, **variables)
    (second,) = servers(driver.pid)
    assert first != second


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_reach_the_job_and_its_end_the_caller(driver, tmp_path: Path, number: int):
    process = start(driver.pid, tmp_path, WAITING)
    assert process.stdout is not None
    job = int(process.stdout.readline())
    assert job != process.pid
    assert psutil.Process(job).name() == "script.py"
    process.send_signal(number)
    text, _ = process.communicate()
    if number == signal.SIGTERM:
        assert (text, process.returncode) == (f"got {number}\n", 128 + number)
    else:
        assert process.returncode == -number
    assert not psutil.pid_exists(job)


def test_a_job_ends_with_its_client(driver, tmp_path: Path):
    process = start(driver.pid, tmp_path, WAITING)
    assert process.stdout is not None
    job = int(process.stdout.readline())
    process.kill()
    process.communicate()
    wait_until(lambda: not psutil.pid_exists(job))


def test_a_killed_job_ends_its_client(driver, tmp_path: Path):
    process = start(driver.pid, tmp_path, WAITING)
    assert process.stdout is not None
    os.kill(int(process.stdout.readline()), signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_a_killed_keeper_leaves_no_job(driver, tmp_path: Path):
    process = start(driver.pid, tmp_path, WAITING)
    assert process.stdout is not None
    job = int(process.stdout.readline())
    psutil.Process(job).parent().kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: not psutil.pid_exists(job))


def test_a_job_stops_and_goes_on_with_its_client(driver, tmp_path: Path):
    process = start(driver.pid, tmp_path, WAITING)
    assert process.stdout is not None
    job = psutil.Process(int(process.stdout.readline()))
    process.send_signal(signal.SIGTSTP)
    client = psutil.Process(process.pid)
    wait_until(lambda: job.status() == client.status() == psutil.STATUS_STOPPED)
    process.send_signal(signal.SIGCONT)
    wait_until(lambda: psutil.STATUS_STOPPED not in (job.status(), client.status()))
    process.terminate()
    assert process.communicate()[0] == f"got {signal.SIGTERM}\n"


def test_a_running_job_outlives_the_driver_as_others_do(driver, tmp_path: Path):
    process = start(driver.pid, tmp_path, "import time; time.sleep(2); print('done')")
    wait_until(lambda: len(servers(driver.pid)) > 1)  # the server, the keeper and the job
    driver.kill()
    assert process.communicate()[0] == "done\n"


@pytest.mark.parametrize("value", ["off", "", "99999999", "one"])
def test_without_a_driver_here_the_script_runs_by_itself(tmp_path: Path, value: str):
    assert output(value, tmp_path, TELLS_PARENT) == f"False {os.getpid()}\n"


def test_a_library_that_is_missing_is_the_jobs_to_tell(driver, tmp_path: Path):
    process = start(driver.pid, tmp_path, TELLS_PARENT, libraries="no_such_library")
    assert process.communicate() == (f"False {os.getpid()}\n", "")


def test_a_request_too_long_runs_by_itself(driver, tmp_path: Path):
    variables = {f"LONG_{one}": "x" * (REQUEST_BYTES // 2) for one in range(2)}
    assert output(driver.pid, tmp_path, TELLS_PARENT, **variables).startswith("False")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_server_of_another_user_gets_no_job():
    listen = f"""
import os, socket, time
os.setuid(65534)
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
    listener.bind(b"\\0cactus-test-{os.getpid()}")
    listener.listen()
    print("listens", flush=True)
    time.sleep(100)
"""
    with subprocess.Popen([sys.executable, "-c", listen], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert _connection(f"\0cactus-test-{os.getpid()}".encode()) is None
        process.kill()
    assert _connection(f"\0cactus-test-{os.getpid()}".encode()) is None
