"""The graph of jobs: its order, names and files."""

from cactus.provenance.graph import all_jobs, reads

from cactus.config.load import load_config
from cactus.stages.base import Job
from tests.workflow.project import ROOT

CONFIG = load_config(ROOT / "config/config.yaml", ROOT / "config/demo.yaml")


def test_every_job_comes_after_those_that_it_reads_from():
    seen: set[Job] = set()
    for job in all_jobs(CONFIG):
        assert {read.job for read in reads(CONFIG, job)} <= seen, job
        seen.add(job)


def test_what_a_job_reads_lies_where_the_other_leaves_it():
    for job in all_jobs(CONFIG):
        for read in reads(CONFIG, job):
            for name in read.files:
                assert name in read.job.files or name.startswith(f"{read.job.folder}/"), name


def test_names_and_wildcards_fit_each_other():
    for job in all_jobs(CONFIG):
        assert job_of(job.stage, **job.wildcards) == job
        assert tuple(job.wildcards) == WILDCARDS[job.stage]
