"""A process that is silent is told by its own log, while other runs of the clone write theirs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cactus.cluster import watch
from cactus.cluster.watch import Watch


@pytest.fixture
def process(tmp_path: Path):
    """A process with an open log."""
    script = "import sys; file = open('own.log', 'w'); print(flush=True); sys.stdin.read()"
    command, pipe = [sys.executable, "-c", script], subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stdin=pipe, stdout=pipe) as started:
        assert started.stdout is not None
        started.stdout.readline()
        yield started


def test_another_runs_log_does_not_hide_that_a_process_hangs(monkeypatch, process, tmp_path: Path):
    monkeypatch.setattr(watch, "queue", lambda _: [])
    looking = Watch(process.pid, tmp_path, ["a job"], patience=0.05)
    assert not looking.hung(), "it has just written"
    assert not looking.hung(), "it has not been silent for long"
    time.sleep(0.1)
    (tmp_path / "other.log").write_text("of another run")
    assert looking.hung()
    later = time.time() + 5
    os.utime(tmp_path / "own.log", (later, later))
    assert not looking.hung()
