"""Jobs by the names that a user types."""

from cactus.config.models import Config
from cactus.errors import RecordError
from cactus.provenance.graph import all_jobs, reads
from cactus.provenance.jobs import Job
from cactus.provenance.staleness.open_run import nearest


def find_jobs(config: Config, name: str) -> list[Job]:
    """Return the jobs that a name stands for.

    Parameters
    ----------
    name
        A job, ``<stage>/<cell>``; or a cell of the grid, ``<dataset>/<source>/<learner>/s<seed>``,
        which stands for its evaluation and all that leads to it.

    Raises
    ------
    RecordError
        There is no such job or cell in the run's configuration.
    """
    jobs = {job.name: job for job in all_jobs(config)}
    if name in jobs:
        return [jobs[name]]
    if f"evaluate_model/{name}" in jobs:
        return ancestry(config, jobs[f"evaluate_model/{name}"])
    cells = [job.cell for job in jobs.values() if job.stage == "evaluate_model"]
    raise RecordError(
        "There is no such cell or job in the run's configuration.",
        where=config.run,
        got=name,
        fix=nearest(name, [*cells, *jobs], "`cactus status` lists them"),
    )


def ancestry(config: Config, job: Job) -> list[Job]:
    """Return all jobs that a job's results come from, and last the job itself."""
    found: dict[Job, None] = {}

    def visit(one: Job) -> None:
        for read in reads(config, one):
            if read.job not in found:
                visit(read.job)
        found[one] = None

    visit(job)
    return list(found)
