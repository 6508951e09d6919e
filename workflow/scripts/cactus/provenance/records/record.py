"""The record that each job writes: what it ran on and what it made.

The terms are those of W3C PROV: an activity, carried out by an agent, uses and generates entities.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from typing_extensions import TypedDict

from cactus.config.sections.base import NonNegative, Settings
from cactus.errors import RecordError
from cactus.files import parse_json, read_text, write_json
from cactus.provenance.records.objects import json_hash
from cactus.provenance.records.plan import Plan
from cactus.provenance.records.reasons import is_absent
from cactus.provenance.records.values import Amount, Moment, RelativeName, Sha256, what_is_wrong
from cactus.stages.base import Job

Fact = str | bool | int | float | None


class FileEntity(Settings):
    """A generated file: the sha256 of its content, and its size in bytes."""

    sha256: Sha256
    bytes: Amount


class Activity(Settings):
    """The run of a job.

    Attributes
    ----------
    plan
        Everything that its results depend on; no input is pending.
    sources
        sha256 of the text of each source file; the text is stored in `objects`.
    seed
        The training seed, if the job has one. All generators derive from it and from names.
    threads
        Number of threads of the numerical libraries.
    determinism
        Settings that decide whether running the job again gives the same bits.
    started, ended
        ISO 8601 in UTC.
    seconds
        Wall time, by a monotonic clock.
    peak_memory_bytes, peak_gpu_memory_bytes
        Peak resident memory of the process, and peak memory of PyTorch on its GPU if it used one.
    resumed_from
        Steps from which the job resumed after interruptions.
    steps, seconds_per_step
        Steps of its training, and their mean duration since the last interruption; None for other
        jobs.
    processors
        Of each attempt: its number, and the processor with the instruction sets that libraries use.
    unused_gpu
        Why the job ran on the CPU although there seemed to be a GPU; empty otherwise.
    """

    plan: Plan
    sources: dict[str, Sha256]
    seed: int | None
    threads: int | None
    determinism: dict[str, Fact]
    started: Moment
    ended: Moment
    seconds: NonNegative
    peak_memory_bytes: Amount
    peak_gpu_memory_bytes: Amount | None
    resumed_from: list[int] = Field(default_factory=list)
    steps: int | None = None
    seconds_per_step: float | None = None
    processors: list[dict[str, Fact]] = Field(default_factory=list)
    unused_gpu: str = ""


class Git(TypedDict):
    """The state of a clone, see `Agent`."""

    commit: str
    dirty: bool
    diff: Sha256 | None
    untracked: list[str]


class Agent(Settings):
    """The software and hardware that carried the job out.

    Attributes
    ----------
    host, machine, python
        Name of the computer, its architecture, full version of Python.
    libraries
        Installed versions of the libraries that the job's code imports.
    packages
        sha256 of the list of all installed packages, stored in `objects`.
    device
        What PyTorch computed on, with versions of CUDA, cuDNN and the driver; None if the job did
        not import PyTorch.
    git
        Commit, whether tracked files differ from it, sha256 of the diff stored in `objects`, and
        untracked files; None outside a repository.
    slurm
        Id, cluster, partition, nodes and GPUs of the Slurm job; None outside Slurm.
    """

    host: str
    machine: str
    python: str
    libraries: dict[str, str]
    packages: Sha256
    device: dict[str, Fact] | None
    git: Git | None
    slurm: dict[str, str] | None


class Reuse(Settings):
    """Results that a run took over from another run instead of running the job.

    Attributes
    ----------
    run
        Name of the other run's folder.
    when
        ISO 8601 in UTC.
    """

    run: str
    when: Moment


class Record(Settings):
    """What a job ran on and what it made.

    Attributes
    ----------
    reused
        Each time that another run took the results over, the first one first; empty in the record
        of the run that made them. All else but the links stays as it was recorded there.
    links
        The digest of each record of this run that the job's inputs come from, by the name of its
        job, so that the records are a Merkle graph. None in a record of an older version.
    """

    schema_: Literal["cactus-record/1"] = Field(default="cactus-record/1", alias="schema")
    entities: dict[RelativeName, FileEntity]
    activity: Activity
    agent: Agent
    reused: list[Reuse] = Field(default_factory=list)
    links: dict[str, Sha256] | None = None

    @property
    def job(self) -> Job:
        """The job that wrote the record."""
        return self.activity.plan.job

    @property
    def unrecorded(self) -> list[str]:
        """The files that the job always makes and that the record does not list."""
        return [name for name in self.job.files if name not in self.entities]

    @property
    def origin(self) -> str:
        """Where the results were taken from, e.g. ``reused from demo``; empty if the job ran."""
        return f"reused from {self.reused[-1].run}" if self.reused else ""

    @property
    def texts(self) -> list[str]:
        """The sha256 of each stored text that the record refers to."""
        diff = self.agent.git["diff"] if self.agent.git else None
        others = [self.agent.packages, *([diff] if diff else [])]
        return [*self.activity.sources.values(), *others]

    @property
    def plan(self) -> Plan:
        """Everything that the results depend on."""
        return self.activity.plan


def record_path(run_folder: Path, job: Job) -> Path:
    """Return the path of a job's record."""
    return run_folder / "records" / f"{job.name}.json"


def record_files(run_folder: Path) -> list[Path]:
    """Return the paths of all records of a run, of those whose folders can be read."""
    found = os.walk(run_folder / "records")
    paths = (Path(folder, name) for folder, _, names in found for name in names)
    shown = (path for path in paths if not path.name.startswith("."))  # an editor's are not
    return sorted(path for path in shown if path.suffix == ".json")


def write_record(run_folder: Path, record: Record) -> None:
    """Write a job's record, atomically, with a checksum that reveals edits: its digest."""
    content = record.model_dump(mode="json", by_alias=True)
    write_json(record_path(run_folder, record.job), {**content, "checksum": json_hash(content)})


def record_digest(record: Record) -> str:
    """Return the digest that a record has when it is written."""
    return json_hash(record.model_dump(mode="json", by_alias=True))


def read_record(run_folder: Path, job: Job) -> Record | None:
    """Read a job's record; None if there is none.

    Raises
    ------
    RecordError
        The record is damaged or belongs to another job.
    """
    found = read_sealed_record(run_folder, job)
    return found[0] if found else None


def read_sealed_record(run_folder: Path, job: Job) -> tuple[Record, str] | None:
    """Read a job's record and its digest, of its content as it was written; None if there is none.

    Raises
    ------
    RecordError
        The record is damaged or belongs to another job.
    """
    path = record_path(run_folder, job)
    try:
        content = parse_json(read_text(path))
        if not isinstance(content, dict):
            raise TypeError("not a JSON object")
        checksum = content.pop("checksum")
        record = Record.model_validate(content)
    except OSError as error:
        if is_absent(error):
            return None
        raise _damaged(path, job, str(error.strerror)) from error
    except ValidationError as error:
        raise _damaged(path, job, what_is_wrong(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, job, " ".join(str(error).split())[:200]) from error
    if checksum != json_hash(content):
        raise _damaged(path, job, "a checksum that does not match its content: it was edited")
    if record.job != job:
        raise _damaged(path, job, f"the record of {record.job.name}")
    return record, checksum


def _damaged(path: Path, job: Job, got: str) -> RecordError:
    return RecordError(
        "A record is damaged.",
        where=str(path),
        got=got,
        fix=f"run the workflow again to repeat {job.name}",
    )
