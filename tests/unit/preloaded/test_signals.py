"""Signals reach a job that is a fork, and none of its processes outlives another in vain."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.unit.preloaded.starting import (
    TELLS_PARENT,
    output,
    processes,
    servers,
    start,
    wait_until,
)

WAITING = """
import os, signal, sys, time
def end(number, frame):
    os.write(1, b"got %d\\n" % number)  # `print` may be interrupted by another signal
    raise SystemExit(128 + number)
signal.signal(signal.SIGTERM, end)
print(os.getpid(), flush=True)
time.sleep(100)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_job_that_waits_for_its_server(driver, tmp_path: Path, number: int):
    output(driver.pid, tmp_path, TELLS_PARENT)
    (server,) = servers(driver.pid)
    server.suspend()
    process = start(driver.pid, tmp_path, "open('started', 'w')")
    time.sleep(0.5)  # until it waits
    process.send_signal(number)
    assert process.wait(timeout=20) == -number
    server.resume()  # it holds the streams until then
    process.communicate()
    output(driver.pid, tmp_path, TELLS_PARENT)


def test_no_signal_is_lost_while_a_job_starts(driver, tmp_path: Path):
    output(driver.pid, tmp_path, TELLS_PARENT)
    for wait in range(20):
        process = start(driver.pid, tmp_path, "import time; time.sleep(20)")
        time.sleep(wait / 100)
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            _, errors = process.communicate()
            assert "Exception ignored in" in errors, "Python itself loses some while it starts"
            continue
        assert process.returncode in (1, -signal.SIGINT)  # 1 while Python itself starts


def test_a_signal_to_all_processes_lets_the_job_clean_up(driver, tmp_path: Path):
    process = start(driver.pid, tmp_path, WAITING)
    assert process.stdout is not None
    job = psutil.Process(int(process.stdout.readline()))
    keeper = job.parent()
    assert keeper is not None
    for one in (keeper, job, psutil.Process(process.pid)):
        one.send_signal(signal.SIGTERM)
    text, _ = process.communicate()
    assert (text[:7], process.returncode) == ("got 15\n", 128 + signal.SIGTERM)


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
    process.send_signal(signal.SIGSTOP)
    client = psutil.Process(process.pid)
    wait_until(lambda: job.status() == client.status() == psutil.STATUS_STOPPED)
    process.send_signal(signal.SIGCONT)
    wait_until(lambda: psutil.STATUS_STOPPED not in (job.status(), client.status()))
    process.terminate()
    assert process.communicate()[0] == f"got {signal.SIGTERM}\n"


def test_a_late_signal_does_not_hide_how_the_job_ended(driver, tmp_path: Path):
    script = """
import os, signal, time
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
print(os.getpid(), flush=True)
while not os.path.exists("go"):
    time.sleep(0.02)
raise SystemExit(7)
"""
    process = start(driver.pid, tmp_path, script)
    assert process.stdout is not None
    job, caller = psutil.Process(int(process.stdout.readline())), psutil.Process(process.pid)
    keeper = job.parent()
    assert keeper is not None
    keeper.suspend()
    process.send_signal(signal.SIGUSR1)
    (tmp_path / "go").touch()
    wait_until(lambda: job.status() == psutil.STATUS_ZOMBIE)
    caller.suspend()
    keeper.resume()
    wait_until(lambda: not keeper.is_running() or keeper.status() == psutil.STATUS_ZOMBIE)
    caller.resume()
    process.communicate()
    assert process.returncode == 7


def test_a_second_signal_loses_no_output(driver, tmp_path: Path):
    script = """
import io, os, signal, sys
def end(number, frame):
    raise SystemExit(9)
signal.signal(signal.SIGTERM, end)
class Killing(io.BufferedWriter):
    def flush(self):
        os.kill(os.getpid(), signal.SIGTERM)
file = Killing(open(os.devnull, "wb", buffering=0))
sys.stdout.write("all")
end(0, None)
"""
    process = start(driver.pid, tmp_path, script)
    text, errors = process.communicate()
    assert (text, errors, process.returncode) == ("all", "", 9)


def test_a_running_job_outlives_the_driver_as_others_do(driver, tmp_path: Path):
    process = start(driver.pid, tmp_path, "import time; time.sleep(2); print('done')")
    wait_until(lambda: len(processes(driver.pid)) > 1)  # the server, the keeper and the job
    driver.kill()
    assert process.communicate()[0] == "done\n"
