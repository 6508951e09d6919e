"""What these tests share."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.unit.preloaded.starting import processes, wait_until


@pytest.fixture
def driver() -> Iterator[subprocess.Popen[bytes]]:
    """A process that stands for Snakemake; servers end with it."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()
    wait_until(lambda: not processes(process.pid))
