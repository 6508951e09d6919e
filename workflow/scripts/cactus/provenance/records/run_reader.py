"""Read-only access to a run's records, without planning or hashing anything."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cactus.config.models import Config
from cactus.errors import RecordError
from cactus.graph import Graph
from cactus.provenance.records.record import Record, read_sealed_record, record_path
from cactus.stages.base import Job


def asked_for(graph: Graph, run_folder: Path) -> list[Job]:
    """Return the jobs that only their own target requests, and of which there is a file."""
    asked = (job for job in graph.jobs if job.definition.on_request)
    return [job for job in asked if has_files(run_folder, job)]


def has_files(run_folder: Path, job: Job) -> bool:
    """Return whether there is a result of a job, or its record."""
    paths = (record_path(run_folder, job), *(run_folder / name for name in job.files))
    return any(map(os.path.lexists, paths))


@dataclass
class RunReader:
    """Reads the records of a run, each only once and only on request."""

    config: Config
    run_folder: Path
    _cache: dict[Job, tuple[Record, str] | RecordError | None] = field(
        default_factory=dict, init=False
    )

    @cached_property
    def graph(self) -> Graph:
        """The jobs of the run, and the inputs of each."""
        return Graph(self.config)

    @property
    def jobs(self) -> list[Job]:
        """The jobs of the whole run: those that only their target requests, if they have run."""
        asked = asked_for(self.graph, self.run_folder)
        return [job for job in self.graph.jobs if not job.definition.on_request or job in asked]

    def read(self, job: Job) -> Record | RecordError | None:
        """Return a job's record, the error if it is damaged, or None if there is none."""
        found = self._read(job)
        return found[0] if isinstance(found, tuple) else found

    def _read(self, job: Job) -> tuple[Record, str] | RecordError | None:
        if job not in self._cache:
            try:
                self._cache[job] = read_sealed_record(self.run_folder, job)
            except RecordError as error:
                self._cache[job] = error
        return self._cache[job]

    def digest(self, job: Job) -> str | None:
        """Return the digest of a job's record; None if there is no valid one."""
        found = self._read(job)
        return found[1] if isinstance(found, tuple) else None

    def record(self, job: Job) -> Record | None:
        """Return a job's record; None if there is no valid one."""
        found = self.read(job)
        return found if isinstance(found, Record) else None

    def records(self) -> list[Record]:
        """Return the valid records of all jobs, upstream jobs first."""
        return [record for job in self.graph.jobs if (record := self.record(job)) is not None]
