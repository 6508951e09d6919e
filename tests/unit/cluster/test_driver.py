"""What the driver asks of Snakemake's scheduler."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.project import ROOT

# Each look at the waiting jobs that a limit asks for is a timer of a second: the newest still run.
SNAKEFILE = """
import threading
from cactus.cluster.driver import spare_scheduler

def inputs(_):
    spare_scheduler(workflow)
    return []

rule all:
    input: inputs, expand("{number}", number=range(12))

rule one:
    output: "{number}"
    shell: "touch {output}"

onsuccess:
    print("timers:", sum(isinstance(one, threading.Timer) for one in threading.enumerate()))
"""


@pytest.mark.parametrize(("options", "looks"), [((), False), (("50/1s",), True)])
def test_the_scheduler_looks_again_only_for_a_limit_that_was_set(
    tmp_path: Path, options: tuple[str, ...], looks: bool
):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    limit = [word for one in options for word in ("--max-jobs-per-timespan", one)]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", *limit],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")},
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    timers = int(done.stdout.rpartition("timers:")[2].split()[0])
    assert (timers > 0) is looks, done.stdout
    assert all((tmp_path / str(number)).exists() for number in range(12))
