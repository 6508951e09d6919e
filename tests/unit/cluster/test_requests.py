"""What Slurm refuses at the start: a job that is too large fails, a full queue does not."""

import pytest

from cactus.cluster.requests import check_plugin, check_requests
from cactus.errors import ClusterError

LIMIT = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Return a function that sets which jobs sbatch refuses, by a pattern of the shell."""

    def put(name: str, text: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    put("squeue", "")
    put("sinfo", "")
    return lambda pattern: put(
        "sbatch", f'case "$*" in {pattern}) echo "{LIMIT}" >&2; exit 1; esac'
    )


REQUESTS = [("meta_train", ("--account=a", "--time=600", "--mem=9"))]


def test_a_limit_that_the_jobs_of_others_fill_does_not_end_the_run(slurm):
    slurm("*--account=a*")
    check_requests(REQUESTS)


def test_a_job_that_is_larger_than_a_limit_does(slurm):
    slurm("*--mem=9*")
    with pytest.raises(ClusterError, match="would refuse"):
        check_requests(REQUESTS)


def test_jobs_are_not_submitted_as_arrays():
    check_plugin([], None)
    with pytest.raises(ClusterError, match="as arrays"):
        check_plugin([], "all")
