"""A run as its records tell it: nothing is planned, hashed or written."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cactus.config.models import Config
from cactus.errors import RecordError
from cactus.graph import Graph
from cactus.provenance.records.record import Record, read_record
from cactus.stages.base import Job


@dataclass
class RunReader:
    """Reads the records of a run, each once and when it is asked for.

    Parameters
    ----------
    config
        The configuration of the run.
    run_folder
        Folder of the run.
    """

    config: Config
    run_folder: Path
    _found: dict[Job, Record | RecordError | None] = field(default_factory=dict)

    @cached_property
    def graph(self) -> Graph:
        """The jobs of the run, and what each reads."""
        return Graph(self.config)

    def read(self, job: Job) -> Record | RecordError | None:
        """Return a job's record, what is wrong with it, or None if there is none."""
        if job not in self._found:
            try:
                self._found[job] = read_record(self.run_folder, job)
            except RecordError as error:
                self._found[job] = error
        return self._found[job]

    def record(self, job: Job) -> Record | None:
        """Return a job's record; None if there is no valid one."""
        found = self.read(job)
        return found if isinstance(found, Record) else None

    def records(self) -> list[Record]:
        """Return the valid records of all jobs, each after those that it reads from."""
        return [record for job in self.graph.jobs if (record := self.record(job)) is not None]
