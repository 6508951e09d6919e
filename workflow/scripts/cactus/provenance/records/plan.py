"""What a job has to be: everything that its results follow from, by content."""

from pathlib import Path
from typing import Any, Final

from pydantic import Field, ValidationError

from cactus.config.sections.base import Settings
from cactus.errors import RecordError
from cactus.files import read_json
from cactus.stages.base import Job

# The hash of an input that another job of the same invocation makes first.
PENDING: Final = "pending"


class Plan(Settings):
    """Everything that a job's results follow from.

    Attributes
    ----------
    stage, cell
        The job.
    spec
        The keys of the configuration that its stage reads.
    code, libraries, files
        See `cactus.provenance.fingerprint.dependencies.Dependencies`.
    inputs
        sha256 of each file that it reads of other jobs' results, by its name below the run's
        folder; `PENDING` if that job runs first.
    raw
        sha256 of each raw file, for the job that reads them; known once it has run.
    """

    stage: str
    cell: str
    spec: dict[str, Any]
    code: dict[str, str]
    libraries: dict[str, str]
    files: dict[str, str]
    inputs: dict[str, str]
    raw: dict[str, str] = Field(default_factory=dict)

    @property
    def job(self) -> Job:
        """The job that is planned."""
        return Job(self.stage, self.cell)


class PlanFile(Settings):
    """A plan as it is written for its job.

    Attributes
    ----------
    plan
        The plan.
    planned
        When the job was found to be stale, as ISO 8601, so that the file's content changes; empty
        while it is fresh.
    reasons
        Why the job has to run.
    """

    plan: Plan
    planned: str
    reasons: list[str]


def plan_path(run_folder: Path, job: Job) -> Path:
    """Return where a job's plan is written."""
    return run_folder / "plans" / f"{job.name}.json"


def read_plan(path: Path) -> PlanFile:
    """Read a plan.

    Raises
    ------
    RecordError
        The file is missing or no plan.
    """
    try:
        return PlanFile.model_validate(read_json(path))
    except ValidationError as error:
        raise RecordError(
            "A plan cannot be read.",
            where=str(path),
            got=str(error.errors()[0]["msg"]),
            fix="delete it; Snakemake writes it anew when it builds the DAG",
        ) from error
