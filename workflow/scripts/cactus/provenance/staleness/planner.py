"""Which jobs of a run are stale, and why."""

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from cactus.files import atomic_path, read_bytes
from cactus.provenance.fingerprint.dependencies import Project
from cactus.provenance.fingerprint.raw_files import current_raw_hashes
from cactus.provenance.records.links import linked_jobs, replaced_since_audit
from cactus.provenance.records.plan import PENDING, Plan, PlanFile, plan_path
from cactus.provenance.records.reasons import ABSENT, CLOSED, Reason, plan_differences
from cactus.provenance.records.record import Record, record_path
from cactus.provenance.records.run_reader import RunReader
from cactus.provenance.staleness.waivers import Waiver, read_waivers
from cactus.stages.base import Job
from cactus.stages.whole_run.audit_run import AUDIT

# Modification time of a fresh job's plan, 3 January 1980: older than its results, so that Snakemake
# sees no update, and in no time zone before the first day that a zip archive can hold. Results may
# be older still: some archives set all times to the first second of 1970.
_FRESH_TIME: Final = 315_705_600.0


@dataclass(frozen=True)
class Assessment:
    """A job's plan, the record of its last run, and the reasons why it is not fresh, if any."""

    job: Job
    plan: Plan
    record: Record | None
    reasons: tuple[Reason, ...]

    @property
    def closed(self) -> bool:
        """Whether files that may not be read are all that keeps it from being known as fresh."""
        return bool(self.reasons) and all(reason.is_closed for reason in self.reasons)

    @property
    def stale(self) -> bool:
        """Whether the job must run."""
        return bool(self.reasons) and not self.closed

    @property
    def state(self) -> Literal["missing", "stale", "closed", "fresh"]:
        """Whether it never finished, must run again, cannot be told, or need not run."""
        never = self.stale and self.record is None and self.reasons[0].new == "none"
        return (
            "missing" if never else "stale" if self.stale else "closed" if self.closed else "fresh"
        )


@dataclass
class Planner(RunReader):
    """Compares the plans of a run's jobs with their records.

    Parameters
    ----------
    config, run_folder
        See `RunReader`.
    project
        The project's files.
    raw_dir
        Folder with one folder of raw files per data set.
    only
        Jobs to look at: their upstream jobs count as their records say. None for all jobs.
    """

    project: Project
    raw_dir: Path
    only: frozenset[Job] | None = None
    _assessments: dict[Job, Assessment] = field(default_factory=dict, init=False)
    _raw: dict[Job, dict[str, str]] = field(default_factory=dict, init=False)

    @property
    def place(self) -> Path:
        """Where the configuration puts the run: the only folder into which its jobs write."""
        return self.project.tree.base / "results" / self.config.run

    @property
    def is_copy(self) -> bool:
        """Whether the run is elsewhere, so that no job runs in it."""
        return not (self.place.exists() and self.place.samefile(self.run_folder))

    @cached_property
    def waivers(self) -> list[Waiver]:
        """The accepted changes; a RecordError if their list is damaged."""
        return read_waivers(self.run_folder)

    def assess_all(self) -> list[Assessment]:
        """Assess every job of the run, upstream jobs first."""
        if not self._assessments:
            folder = str(self.run_folder)
            files = (one for record in self.records() for one in record.entities.items())
            paths = ((f"{folder}/{name}", entity.bytes) for name, entity in files)
            self.project.tree.cache.warm(path for path, size in paths if has_size(path, size))
        return [self.assess(job) for job in self.jobs]

    def assess(self, job: Job) -> Assessment:
        """Plan a job, and find the reasons to run it, if any."""
        if job not in self._assessments:
            self._assessments[job] = self._assess(job)
        return self._assessments[job]

    def _assess(self, job: Job) -> Assessment:
        record = self.read(job)
        plan, pending = self._plan(job)
        if not isinstance(record, Record):
            got = "none" if record is None else record.got
            where = str(record_path(self.run_folder, job))
            return Assessment(job, plan, None, (Reason("record", where, "", got), *pending))
        found = [*self.changed_results(record), *plan_differences(record.plan, plan)]
        found += self._changed_raw(record)
        found += [Reason("output", name, "", ABSENT) for name in record.unrecorded]
        if job == AUDIT and any(replaced_since_audit(self).values()):
            found.append(Reason("record", "links", "", "jobs ran after the audit"))
        accepted = {waiver.key for waiver in self.waivers}
        reasons = [reason for reason in found if (job, reason) not in accepted]
        return Assessment(job, plan, record, (*reasons, *pending))

    def _plan(self, job: Job) -> tuple[Plan, list[Reason]]:
        """Return a job's plan, and a reason for each upstream job that must run first."""
        inputs: dict[str, str] = {}
        pending: list[Reason] = []
        for upstream in self.graph.inputs(job):
            record = self._fresh_record(upstream.job)
            if record is None:
                closed = CLOSED if self._is_closed(upstream.job) else ""
                pending.append(Reason("upstream", upstream.job.name, "", closed))
                inputs.update(dict.fromkeys(upstream.files, PENDING))
            else:
                made = record.entities
                inputs.update({name: made[name].sha256 for name in upstream.files if name in made})
        stage = job.definition
        spec = stage.spec(self.config, stage.parse(job.cell))
        plan = Plan(
            stage=job.stage,
            cell=job.cell,
            spec=json.loads(spec.text()),
            inputs=inputs,
            **vars(self.project.dependencies(self.config, job)),
        )
        return plan, pending

    def _fresh_record(self, job: Job) -> Record | None:
        """Return the record of an upstream job; None if the job must run first."""
        if self.only is not None and job not in self.only:
            return self.record(job)
        assessment = self.assess(job)
        return None if assessment.stale else assessment.record

    def _is_closed(self, job: Job) -> bool:
        return (self.only is None or job in self.only) and self.assess(job).closed

    def unlocked_versions(self, jobs: Iterable[Job]) -> str:
        """Return, as text, the versions that jobs run with now and that are not the locked ones."""
        found: dict[str, str] = {}
        for job in jobs:
            found |= self.project.departures(self.assess(job).plan.libraries)
        locked = self.project.locked
        listed = (f"{name} {found[name]} (locked {locked[name]})" for name in sorted(found))
        return f"not the locked environment: {', '.join(listed)}" if found else ""

    def changed_results(self, record: Record) -> list[Reason]:
        """Return the results of a job that are missing or differ from its record.

        Another size is enough to tell that a result differs; it may be too large to be read.
        """
        reasons = []
        folder, cache = str(self.run_folder), self.project.tree.cache
        for name, entity in record.entities.items():
            found = cache.state(f"{folder}/{name}", entity.bytes)
            if found != entity.sha256:
                reasons.append(Reason("output", name, entity.sha256, found))
        return reasons

    def _changed_raw(self, record: Record) -> list[Reason]:
        """Return the available raw files that changed."""
        found = sorted(self.raw_hashes(record).items())
        pairs = ((name, record.plan.raw.get(name, ABSENT), now) for name, now in found)
        return [Reason("raw", name, old, now) for name, old, now in pairs if old != now]

    def raw_hashes(self, record: Record) -> dict[str, str]:
        """Return the current sha256 of the recorded raw files, of those that are available.

        Of a data set of one's own, all files in its folder count, and those that are gone.
        Synthetic ones are results of an upstream job: if that has to run, they are not looked at.
        """
        if not record.plan.raw:
            return {}
        if record.job not in self._raw:
            self._raw[record.job] = self._current_raw(record)
        return self._raw[record.job]

    def _current_raw(self, record: Record) -> dict[str, str]:
        if any(self._fresh_record(one.job) is None for one in self.graph.inputs(record.job)):
            return record.plan.raw
        dataset, cache = record.job.cell, self.project.tree.cache
        own = self.config.data.custom.get(dataset)
        entry = self.project.registry.get(own.variant_of or "" if own else dataset)
        folders = entry.folders if entry else None if own else ()
        return current_raw_hashes(self.raw_dir, dataset, folders, record.plan.raw, cache)

    def write_plan(self, job: Job) -> Path:
        """Write a job's plan so that Snakemake runs the job if and only if it is stale.

        The plan of a stale job gets new content and a new time; that of a fresh job is older than
        any result. A job without results runs anyway, so an equal plan is left alone, which saves a
        write to the disk.
        """
        assessment, path = self.assess(job), plan_path(self.run_folder, job)
        reasons = [str(reason) for reason in assessment.reasons]
        upstream = [one.name for one in linked_jobs(self.graph, job)]
        content = PlanFile(plan=assessment.plan, planned="", reasons=reasons, upstream=upstream)
        existing = _read_if_valid(path)
        if not assessment.stale:
            moment = min([_FRESH_TIME, *self._result_times(job)])
            if existing != content or path.stat().st_mtime != moment:
                _replace(path, content, moment)
            return path
        if self.config.reuse:  # a fresh job runs only if Snakemake is forced to run it
            content = content.model_copy(update={"reuse": True, "raw_dir": str(self.raw_dir)})
        times = self._result_times(job)
        if times or existing is None or existing.model_copy(update={"planned": ""}) != content:
            now = datetime.now(UTC).isoformat()
            # Later than the job's results, even if another clock ran ahead.
            latest = max([time.time(), *(moment + 1 for moment in times)])
            _replace(path, content.model_copy(update={"planned": now}), latest)
        return path

    def _result_times(self, job: Job) -> list[float]:
        """Return the modification times of a job's existing results and record."""
        folder = self.run_folder / (job.folder or "")
        paths = folder.glob("*") if job.folder else map(self.run_folder.joinpath, job.files)
        times: list[float] = []
        for path in (*paths, record_path(self.run_folder, job)):
            with suppress(OSError):  # it is missing, or its folder is closed
                times.append(path.stat().st_mtime)
        return times


def has_size(path: Path | str, size: int) -> bool:
    """Return whether there is a file of a size."""
    try:
        return os.stat(path).st_size == size  # noqa: PTH116
    except OSError:
        return False


def _read_if_valid(path: Path) -> PlanFile | None:
    try:
        return PlanFile.model_validate_json(read_bytes(path))
    except (OSError, ValueError):
        return None


def _replace(path: Path, content: PlanFile, modified: float) -> None:
    """Replace a plan without waiting for the disk: a lost plan is simply written again.

    Only its owner may set the time of a file, and in a shared folder that may be someone else. So
    the file is always a new one.
    """
    with atomic_path(path, flush=False) as temporary:
        temporary.write_text(content.model_dump_json(indent=1) + "\n", encoding="utf-8")
        os.utime(temporary, (modified, modified))
