"""A copy of a finished run that many tests damage in turn, each in a fraction of a second."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cactus.files import file_hash, read_json, write_json
from cactus.provenance.audit.report import Report, run_audit
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.records.links import linked_jobs
from cactus.provenance.records.objects import json_hash
from cactus.provenance.records.record import (
    FileEntity,
    read_record,
    record_digest,
    write_record,
)
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job
from cactus.stages.whole_run.audit_run import AUDIT
from tests.workflow.project import Project

State = tuple[int, int, int, int]


class Scratch:
    """A copy of a project with a finished run.

    Whatever changes a file changes the time at which its inode changed, which nothing can set. So
    that tells which files to restore, and hashes of the others stay right.
    """

    def __init__(self, original: Project, folder: Path) -> None:
        self._original, self.project = original, original.copy(folder)
        self.run = self.project.run
        self.cache = HashCache(None)
        self._opened = open_run(str(self.run), cache=self.cache)
        self._states = dict(self._found())

    def planner(self, run: Path | None = None) -> Planner:
        """Open the run again, or a copy of it; what depends on the project is read only once."""
        one, folder = self._opened, run or self.run
        return Planner(one.config, folder, one.project, folder / "raw")

    def audit(self, run: Path | None = None, expected: str = "") -> Report:
        """Audit the run in this process; the sources that it kept are parsed only once."""
        return run_audit(self.planner(run), expected=expected)

    def restore(self) -> None:
        """Undo what was done to the run's files."""
        found = dict(self._found())
        for name in found.keys() - self._states.keys():
            (self.run / name).unlink()
        for name in {name for name, state in self._states.items() if found.get(name) != state}:
            path = self.run / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._original.run / name, path)
            self._states[name] = _state(path)

    def _found(self) -> Iterable[tuple[str, State]]:
        for path in self.run.rglob("*"):
            if path.is_symlink() or not path.is_dir():
                yield path.relative_to(self.run).as_posix(), _state(path)


def _with_digest(audit: Path, digest: str) -> dict[str, FileEntity]:
    """Let the file of the run's own audit have another digest of the run."""
    write_json(audit, {**read_json(audit), "digest": digest})
    entity = FileEntity(sha256=file_hash(audit), bytes=audit.stat().st_size)
    return {AUDIT.files[0]: entity}


def _state(path: Path) -> State:
    found = path.lstat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def below(planner: Planner, job: Job) -> list[Job]:
    """Return the jobs whose records depend on a job's, in order, the run's audit last."""
    found = {job}
    for one in planner.jobs:
        if found.intersection(linked_jobs(planner.graph, one)):
            found.add(one)
    return [one for one in planner.jobs if one in found - {job}]


def reseal(planner: Planner, jobs: Iterable[Job]) -> None:
    """Make the records of some jobs, in order, agree with those that they read from."""
    for job in jobs:
        record = read_record(planner.run_folder, job)
        assert record is not None
        links, inputs = {}, dict(record.plan.inputs)
        for one in linked_jobs(planner.graph, job):
            upstream = read_record(planner.run_folder, one)
            assert upstream is not None
            links[one.name] = record_digest(upstream)
            made = {name: entity.sha256 for name, entity in upstream.entities.items()}
            inputs |= {name: made[name] for name in inputs if name in made}
        plan = record.plan.model_copy(update={"inputs": inputs})
        activity = record.activity.model_copy(update={"plan": plan})
        update: dict[str, Any] = {"links": links, "activity": activity}
        if job == AUDIT:
            update["entities"] = _with_digest(planner.run_folder / AUDIT.files[0], json_hash(links))
        write_record(planner.run_folder, record.model_copy(update=update))
