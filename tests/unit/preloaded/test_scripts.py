"""Jobs that are forks of a process with their libraries run, and end, as by themselves."""

import json
import os
import socket
import threading
from pathlib import Path

import pytest

from preloaded import client
from preloaded.protocol import DRIVER, REQUEST_BYTES
from tests.unit.preloaded.starting import TELLS_PARENT, output, servers, start

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
    "import sys; sys.stdout.close()",
    "import sys; sys.stdout = sys.stderr = None",
    "import atexit, sys; X = 5; atexit.register(lambda: print(sys.modules['__main__'].X))",
    "def g(): 1 / 0\ng()",
    "g(",
    "import io; w = io.TextIOWrapper(open('x', 'wb')); w.detach(); print('all')",
    "import weakref\nclass C: pass\np = weakref.proxy(C()); print('all')",
    "import sys\nclass T:\n write = sys.stdout.write\n flush = sys.stdout.flush\n"
    "sys.stdout = T()\nprint('all')",
    "import ctypes; ctypes.CDLL(None).printf(b'of a library')",
)


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
        found.append((text, errors, process.returncode))
    assert found[0] == found[1]


def test_what_cannot_be_written_at_the_end_is_an_error(driver, tmp_path: Path):
    script = "import sys; sys.stdout = open('/dev/full', 'w'); print(1)"
    for one in "off", driver.pid:
        process = start(one, tmp_path, script)
        _, errors = process.communicate()
        assert process.returncode == 120, "that of Python"
        assert "No space left on device" in errors


def test_libraries_are_loaded_once(driver, tmp_path: Path):
    assert output("off", tmp_path, TELLS_PARENT).startswith("False")
    texts = [output(driver.pid, tmp_path, TELLS_PARENT) for _ in range(3)]
    assert all(text.startswith("True") for text in texts)
    assert len(servers(driver.pid)) == 1


def test_first_jobs_at_once_share_a_server(driver, tmp_path: Path):
    processes = [start(driver.pid, tmp_path, TELLS_PARENT) for _ in range(8)]
    assert all(one.communicate()[0].startswith("True") for one in processes)
    assert len(servers(driver.pid)) == 1


def test_a_client_waits_until_a_new_server_listens(monkeypatch):
    address = f"\0cactus-test-{os.getpid()}".encode()
    monkeypatch.setattr(client, "_address", lambda _: address)
    monkeypatch.setenv(DRIVER, str(os.getpid()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        threading.Timer(0.3, listener.listen).start()
        connection = client._connect([], "json")
        assert connection is not None
        connection.close()


def test_code_is_read_anew(driver, tmp_path: Path):
    module = tmp_path / "own_module.py"
    for text in "first", "again":  # of equal size, within a second
        module.write_text(f"TEXT = {text!r}\n")
        script = "import sys; sys.dont_write_bytecode = True; import own_module as m; print(m.TEXT)"
        assert output(driver.pid, tmp_path, script, PYTHONPATH=str(tmp_path)) == f"{text}\n"


def test_a_folder_of_code_may_be_newer_than_the_server(driver, tmp_path: Path):
    folder = tmp_path / "new"
    variables = {"PYTHONPATH": str(folder)}
    output(driver.pid, tmp_path, TELLS_PARENT, **variables)
    folder.mkdir()
    (folder / "new_module.py").write_text("TEXT = 'new'\n")
    script = "import new_module; print(new_module.TEXT)"
    assert output(driver.pid, tmp_path, script, **variables) == "new\n"
    assert len(servers(driver.pid)) == 1


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


def test_a_file_left_open_is_written(driver, tmp_path: Path):
    output(driver.pid, tmp_path, "file = open('left', 'w'); file.write('all'); f = lambda: file")
    assert (tmp_path / "left").read_text() == "all"


def test_jobs_draw_unseeded_numbers_apart(driver, tmp_path: Path):
    script = "import numpy; print(numpy.random.random())"
    assert len({output(driver.pid, tmp_path, script) for _ in range(3)}) == 3


def test_a_temporary_folder_of_matplotlib_is_not_shared(driver, tmp_path: Path):
    process = start(
        *(driver.pid, tmp_path, TELLS_PARENT),
        libraries="colorsys,matplotlib",
        MPLCONFIGDIR="/proc/no_such_folder",
    )
    assert process.communicate()[0] == f"False {os.getpid()}\n"


def test_a_closed_stream_stays_closed(driver, tmp_path: Path):
    script = "import os, sys; print(sys.stdin, os.path.exists('/proc/self/fd/0'))"
    (tmp_path / "closed.sh").write_text('exec "$@" <&-\n')
    output(driver.pid, tmp_path, TELLS_PARENT)  # from here on, there is a server
    found = [
        output(one, tmp_path, script, before=("sh", "closed.sh")) for one in ("off", driver.pid)
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("value", ["off", "", "99999999", "one"])
def test_without_a_driver_here_the_script_runs_by_itself(tmp_path: Path, value: str):
    assert output(value, tmp_path, TELLS_PARENT) == f"False {os.getpid()}\n"


def test_a_library_that_is_missing_is_the_jobs_to_tell(driver, tmp_path: Path):
    process = start(driver.pid, tmp_path, TELLS_PARENT, libraries="no_such_library")
    assert process.communicate() == (f"False {os.getpid()}\n", "")


def test_a_request_too_long_runs_by_itself(driver, tmp_path: Path):
    variables = {f"LONG_{one}": "x" * (REQUEST_BYTES // 2) for one in range(2)}
    assert output(driver.pid, tmp_path, TELLS_PARENT, **variables).startswith("False")
