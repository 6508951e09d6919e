"""The check of a GPU where there is none, and what it counts as a test that passed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bench import gpu_check
from bench.gpu_check import TESTS, outcomes_of, run_tests

ROOT = Path(__file__).parents[2]


def check(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "bench.gpu_check", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "workflow/scripts", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_it_says_in_a_sentence_what_it_looked_for():
    done = check()
    assert (done.returncode, done.stdout) == (77, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"gpu-check: there is no GPU: PyTorch {torch.__version__}")
    assert "/dev/nvidia*" in line
    assert "driver" in line


def test_a_missing_library_is_named(monkeypatch, capsys):
    monkeypatch.setattr(gpu_check, "NEEDED", ("torch", "no_such_library"))
    monkeypatch.setattr(sys, "argv", ["gpu_check"])
    assert gpu_check.main() == 3
    assert "lacks no_such_library" in capsys.readouterr().err


def test_all_tests_of_a_gpu_are_where_it_looks():
    mark = re.compile(r"pytest\.mark\.gpu\b")
    found = [path for path in (ROOT / "tests").rglob("*.py") if mark.search(path.read_text())]
    places = [ROOT / place for place in TESTS]
    others = [path for path in found if path != Path(__file__)]
    assert len(others) > 8
    for path in others:
        assert any(path.is_relative_to(place) for place in places), path


LISTING = """<testsuites><testsuite>
<testcase classname="a" name="good"/>
<testcase classname="a" name="bad"><failure message="no"/></testcase>
<testcase classname="a" name="broken"><error message="no"/></testcase>
<testcase classname="a" name="left out"><skipped message="no CUDA device"/></testcase>
</testsuite></testsuites>"""


def test_outcomes_are_read_from_the_listing(tmp_path):
    (tmp_path / "tests.xml").write_text(LISTING)
    assert outcomes_of(tmp_path / "tests.xml") == {
        "a::good": "passed",
        "a::bad": "failure",
        "a::broken": "error",
        "a::left out": "skipped",
    }


@pytest.mark.parametrize(("device", "code"), [("cuda", 1), ("cpu", 0)])
def test_a_skipped_test_has_shown_nothing_on_a_gpu(device, code, tmp_path, monkeypatch):
    def run(*command):
        listing = LISTING.replace("<failure", "<skipped").replace("<error", "<skipped")
        Path(command[-1].partition("=")[2]).write_text(listing)
        return {"exit_code": 0, "seconds": 1.0}

    monkeypatch.setattr(gpu_check, "run", run)
    part = run_tests(device, tmp_path)
    assert part["exit_code"] == code
    assert part["outcomes"] == {"passed": 1, "skipped": 3}
    assert set(part["not passed"]) == {"a::bad", "a::broken", "a::left out"}
