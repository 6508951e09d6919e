"""Starts scripts as rules do, in forks of a server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from cactus.provenance.execution.run_job import SCRIPTS
from preloaded.protocol import DRIVER

TELLS_PARENT = "import os, sys; print('colorsys' in sys.modules, os.getppid())"


def start(
    driver: int | str,
    folder: Path,
    script: str,
    *arguments: str,
    libraries: str = "colorsys,wave",
    before: tuple[str, ...] = (),
    **variables: str,
) -> subprocess.Popen[str]:
    """Start a script as a rule does."""
    path = folder / "script.py"
    path.write_text(script)
    python = [*before, sys.executable]
    command = [*python, str(SCRIPTS / "preloaded"), libraries, str(path), *arguments]

    def notice_signals() -> None:  # which what runs the tests may ignore
        for one in (signal.SIGINT, signal.SIGHUP):
            signal.signal(one, signal.SIG_DFL)

    given = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen(
        command,
        preexec_fn=notice_signals,
        cwd=folder,
        env={**given, DRIVER: str(driver), **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(driver: int | str, folder: Path, script: str, **more: Any) -> str:
    process = start(driver, folder, script, **more)
    text, errors = process.communicate()
    assert process.returncode == 0, errors
    return text


def processes(driver: int) -> list[psutil.Process]:
    """Return a driver's servers, with the keepers and jobs that are forks of them."""
    found = []
    for one in psutil.process_iter(["cmdline", "ppid"]):
        command = one.info["cmdline"] or []
        if any(word.endswith("preloaded/server.py") for word in command):
            try:
                if one.environ().get(DRIVER) == str(driver):
                    found.append(one)
            except psutil.Error:  # it has just ended
                continue
    return found


def servers(driver: int) -> list[psutil.Process]:
    """Return a driver's servers; a keeper may end a moment after its job."""
    found = processes(driver)
    numbers = {one.pid for one in found}
    return [one for one in found if one.info["ppid"] not in numbers]


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
