"""Slurm itself refuses submissions above a limit, as a site's MaxSubmitJobs does."""

import pytest

from tests.cluster.faults import MakeRun
from tests.nodes.cluster import NodesCluster

pytestmark = pytest.mark.cluster


def test_a_limit_on_queued_jobs_costs_no_attempt(nodes: NodesCluster, node_run: MakeRun):
    run = node_run({name: {"steps": 5, "pause": 0.1} for name in ("first", "second")})
    with nodes.submit_limit(1):
        assert run.end(run.start()) == 0, run.text()
    assert "waiting: Slurm accepts no more jobs at present" in run.text()
    facts = []
    for name in ("first", "second"):
        assert [job.state for job in run.jobs(name)] == ["COMPLETED"], run.text()
        facts.append(nodes.job(run.jobs(name)[0].id))
    assert {one["MinMemoryNode"] for one in facts} == {"1500M"}
    early, late = sorted(facts, key=lambda one: one["SubmitTime"])
    assert late["SubmitTime"] >= early["EndTime"]
