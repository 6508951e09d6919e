"""Checks that the seeds behind a printed number share code and configuration; notes."""

import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from cactus.errors import counted, few
from cactus.provenance.audit.findings import Finding, audited_records, foreign_records
from cactus.provenance.audit.printed import PrintedNumber, ScoringJobs
from cactus.provenance.records.consistency import clock_note
from cactus.provenance.records.record import Record
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job


def check_rows(
    planner: Planner, printed: list[PrintedNumber], jobs: list[Job]
) -> Iterator[Finding]:
    """Yield rows of tables whose seeds differ in code, libraries or any key except the seed."""
    seen: set[tuple[Job, ...]] = set()
    scoring = ScoringJobs(jobs)
    for one in printed:
        scored = tuple(scoring.of(one.entry["results_row"]))
        if one.is_published or scored in seen:
            continue
        seen.add(scored)
        for stage, records in _by_stage(planner, scored).items():
            first = _shared_by_seeds(records[0])
            for record in records[1:]:
                shared = _shared_by_seeds(record)
                wrong = ", ".join(key for key, value in shared.items() if first[key] != value)
                if wrong:
                    jobs_named = f"{records[0].job.name} and {record.job.name}"
                    got = f"{one.entry['row']}: {jobs_named} differ in {wrong}"
                    yield Finding("mixed row", f"{one.file} ({stage})", got, record.job)


def _by_stage(planner: Planner, scoring: tuple[Job, ...]) -> dict[str, list[Record]]:
    found: dict[str, dict[Job, Record]] = defaultdict(dict)
    for job in scoring:
        for one in planner.graph.ancestry(job):
            record = planner.record(one)
            if record is not None:
                found[one.stage][one] = record
    return {stage: list(records.values()) for stage, records in found.items()}


def _shared_by_seeds(record: Record) -> dict[str, Any]:
    """Return what must be the same for all seeds."""
    plan = record.plan
    config = {key: value for key, value in plan.spec.items() if key != "seed"}
    return {"code": plan.code, "libraries": plan.libraries, "configuration": config}


def audit_notes(planner: Planner) -> Iterator[str]:
    """Yield what a reader of the audit should know although it is not a disagreement."""
    records = audited_records(planner)
    commits = {str(git["commit"])[:12] for record in records if (git := record.agent.git)}
    if len(commits) > 1:
        same = ", with the same code" if _share_code(records) else ""
        yield f"records of {len(commits)} commits{same}: {', '.join(sorted(commits))}"
    if not all(record.agent.git for record in records):
        yield "some records were made outside a git repository"
    dirty = sum(record.agent.git is not None and record.agent.git["dirty"] for record in records)
    if dirty:
        yield f"{dirty} of {len(records)} records were made from a clone with uncommitted changes"
    hosts = sorted({record.agent.host for record in records})
    if len(hosts) > 1:
        yield f"made on {len(hosts)} computers: {', '.join(hosts)}"
    if planner.config.synthetic_data:
        yield "made from synthetic data, not from the real data sets"
    own = {record.job: record for record in records}
    reads = {job: [one.job for one in planner.graph.inputs(job)] for job in own}
    yield from clock_note(own, reads)
    yield from _other_code(planner)
    yield from _lost_commits(planner, commits)
    yield from _reuse_notes(records)
    yield from _version_notes(planner, records)
    yield from _raw_notes(planner, records)
    yield from _foreign_notes(planner)
    for entry in planner.waivers:
        job, reason = entry.key
        yield f"accepted by {entry.who} on {entry.when}: {job.name}: {reason} ({entry.why})"


def _lost_commits(planner: Planner, commits: set[str]) -> Iterator[str]:
    """Yield the recorded commits that the repository at hand does not have."""
    root = planner.project.root
    if not commits or not (root / ".git").exists() or shutil.which("git") is None:
        return
    wanted = sorted(one for one in commits if re.fullmatch("[0-9a-f]{7,40}", one))
    done = subprocess.run(
        ["git", "-C", str(root), "cat-file", "--batch-check"],
        input="\n".join(wanted),
        capture_output=True,
        text=True,
        check=False,
    )
    lost = [line.split()[0] for line in done.stdout.splitlines() if line.endswith(" missing")]
    if lost and not done.returncode:
        yield f"not in the repository at hand: commit {', '.join(lost)}"


def _other_code(planner: Planner) -> Iterator[str]:
    """Yield that a run in a clone was compared with the code of another one.

    The run's configuration says which code is the project's, and may have been edited.
    """
    root = planner.project.root.resolve()
    above = planner.run_folder.resolve().parents
    if any((one / "workflow/scripts/cactus").is_dir() for one in above) and root not in above:
        yield f"compared with the code in {root}, which is not that of the clone around the run"


def _share_code(records: list[Record]) -> bool:
    """Return whether each source file is the same in all records that list it."""
    hashes = {item for record in records for item in record.plan.code.items()}
    return len(hashes) == len({name for name, _ in hashes})


def _version_notes(planner: Planner, records: list[Record]) -> Iterator[str]:
    """Yield each version that is not the locked one, with the jobs that ran with it."""
    jobs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for record in records:
        for one in planner.project.departures(record.plan.libraries).items():
            jobs[one].append(record.job.name)
    for (library, version), names in sorted(jobs.items()):
        yield (
            f"{library} {version}, not the locked {planner.project.locked[library]}, ran "
            f"{_listed(names)}"
        )


def _reuse_notes(records: list[Record]) -> Iterator[str]:
    """Yield each run that results were taken from, with the jobs and when."""
    jobs: dict[str, list[str]] = defaultdict(list)
    times: dict[str, list[str]] = defaultdict(list)
    for record in records:
        for one in record.reused[-1:]:
            jobs[record.origin].append(record.job.name)
            times[record.origin].append(one.when)
    for origin, names in sorted(jobs.items()):
        first, last = min(times[origin]), max(times[origin])
        when = first if first == last else f"{first} to {last}"
        yield f"{origin}: {_listed(names)}, {when}"


def _listed(names: list[str]) -> str:
    """Return the number of some jobs and the first of their names."""
    return f"{counted(len(names), 'job')}: {few(names)}"


def _foreign_notes(planner: Planner) -> Iterator[str]:
    """Yield the records of cells that were removed from the study, or of another study."""
    found = foreign_records(planner)
    if found:
        first = found[0].relative_to(planner.run_folder)
        yield (
            f"not audited: {counted(len(found), 'record')} of jobs that are not in the study, "
            f"with their results (the first is {first}); do not trust a table or figure among them"
        )


def _raw_notes(planner: Planner, records: list[Record]) -> Iterator[str]:
    for record in records:
        available = planner.raw_hashes(record)
        missing = [name for name in record.plan.raw if name not in available]
        if missing:
            yield (
                f"raw files of {record.job.cell} are not available, so they were not compared: "
                f"{', '.join(missing[:3])}" + (", ..." if len(missing) > 3 else "")
            )
