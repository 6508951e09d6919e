"""The plan of a job: everything that its results depend on, by content."""

from pathlib import Path
from typing import Any, Final

from pydantic import Field, ValidationError

from cactus.config.sections.base import Settings
from cactus.errors import RecordError
from cactus.files import read_json
from cactus.provenance.records.objects import json_hash
from cactus.provenance.records.values import DeclaredName, RelativeName, Sha256, what_is_wrong
from cactus.stages.base import Job

# Stands for the hash of an input that an upstream job has yet to make.
PENDING: Final = "pending"


class Plan(Settings):
    """Everything that a job's results depend on.

    Attributes
    ----------
    stage, cell
        The job.
    spec
        The configuration keys that its stage reads.
    code, libraries, files, declared
        See `cactus.provenance.fingerprint.dependencies.Dependencies`.
    inputs
        sha256 of each file that it reads of other jobs' results, by name relative to the run's
        folder; `PENDING` if the upstream job has to run first.
    raw
        sha256 of each raw file, if the job reads any; known only after it has run.
    """

    stage: str
    cell: str
    spec: dict[str, Any]
    code: dict[str, str]
    libraries: dict[str, str]
    files: dict[str, str]
    declared: dict[DeclaredName, str] = Field(default_factory=dict)
    inputs: dict[RelativeName, str]
    raw: dict[RelativeName, Sha256] = Field(default_factory=dict)

    @property
    def job(self) -> Job:
        """The planned job."""
        return Job(self.stage, self.cell)

    @property
    def fingerprint(self) -> str:
        """sha256 of everything that the job's results depend on."""
        return json_hash(self.model_dump(mode="json", exclude={"raw"}))


class PlanFile(Settings):
    """A plan as it is written to disk.

    Attributes
    ----------
    plan
        The plan.
    planned
        When the job was found stale, in ISO 8601, so that the file's content changes; empty while
        the job is fresh.
    reasons
        Why the job must run.
    reuse
        Whether equal results of another run may be taken; false while the job is fresh.
    raw_dir
        Folder of the raw files, to which those that another run read are compared.
    upstream
        Names of the jobs whose records the job's record links to.
    """

    plan: Plan
    planned: str
    reasons: list[str]
    reuse: bool = False
    raw_dir: str = ""
    upstream: list[str] = Field(default_factory=list)


def plan_path(run_folder: Path, job: Job) -> Path:
    """Return the path of a job's plan."""
    return run_folder / "plans" / f"{job.name}.json"


def read_plan(path: Path) -> PlanFile:
    """Read a plan.

    Raises
    ------
    RecordError
        The file is missing or is not a plan.
    """
    try:
        return PlanFile.model_validate(read_json(path))
    except ValidationError as error:
        raise RecordError(
            "A plan cannot be read.",
            where=str(path),
            got=what_is_wrong(error),
            fix="delete it; Snakemake writes it again when it builds the DAG",
        ) from error
