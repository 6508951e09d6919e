"""Whether a process is alive is known from what it wrote about itself."""

import multiprocessing
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cactus.provenance.execution.process import identity, is_alive, is_driver


def test_this_process_is_alive_and_another_start_of_its_id_is_not():
    assert is_alive(identity()) is True
    assert is_alive({**identity(), "process": "1"}) is False


@pytest.mark.parametrize(
    "facts", [{"host": "elsewhere"}, {"boot": "another"}, {"boot": None}, {"boot": "1 pid:[1]"}]
)
def test_a_process_that_may_be_of_another_machine_or_container_is_unknown(facts):
    assert is_alive({**identity(), **facts}) is None
    assert is_alive({"host": identity()["host"], "boot": identity()["boot"]}) is None


def test_a_process_that_ended_is_not_alive_before_its_parent_collects_it():
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=lambda: queue.put(identity()))
    child.start()
    facts = queue.get()
    os.waitid(os.P_PID, facts["pid"], os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{facts['pid']}/stat").exists()
    assert is_alive(facts) is False
    child.join()


def test_children_and_equal_process_ids_elsewhere_are_not_the_driver(monkeypatch):
    monkeypatch.setenv("CACTUS_PLANNED_BY", "")  # so that it is gone after the test, too
    monkeypatch.delenv("CACTUS_PLANNED_BY")
    assert is_driver()
    assert is_driver()
    ask = "from cactus.provenance.execution.process import is_driver; print(is_driver())"
    child = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert child.stdout == "False\n"
    monkeypatch.setattr(socket, "gethostname", lambda: "node1")
    assert not is_driver()
