"""The commands that mend what an audit finds."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cactus.closed import Closed, closed_on_the_way
from cactus.errors import RecordError
from cactus.provenance.audit.findings import Finding, audited_records
from cactus.provenance.chain.restore import lost_sources
from cactus.provenance.records.links import DIGEST, SEAL
from cactus.provenance.records.record import record_path
from cactus.provenance.staleness.places import Obstruction, clearing
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.waivers import read_waivers
from cactus.shell import quoted
from cactus.stages.base import Job
from cactus.stages.whole_run.audit_run import AUDIT

UPDATE: Final = "cactus update"
# Findings that make their job stale, so that an update fixes them.
_STALE: Final = {
    "obstructed", "record missing", "record damaged", "output missing", "output changed",
    "output unreadable", "stale",
}  # fmt: skip
# Findings whose job has a record that others contradict: only running it again gives a true one.
_UNTRUSTED: Final = {"link broken", "input differs", "record damaged"}


class Fixes:
    """Finds the command for each finding of an audit.

    A job whose record others contradict is run again with each of them. If only the jobs that read
    its results were, they would take over what may be forged. What is in the place of a file or a
    folder has to go first, or no job can start.
    """

    def __init__(
        self,
        planner: Planner,
        findings: Sequence[Finding],
        obstructions: Sequence[Obstruction],
    ) -> None:
        self._planner, self._folder = planner, planner.run_folder
        self._clearing = clearing(obstructions)
        self._in_the_way = {one.path for one in obstructions}
        found = {one.job for one in findings if one.kind in _UNTRUSTED and not self._closed(one)}
        self._untrusted = [job for job in planner.graph.jobs if job in found and job != AUDIT]
        lost = [one for one in findings if one.kind == "source lost"]
        kept = lost_sources(planner) if lost else {}
        gone = [one for one in lost if Path(one.file).name not in kept]
        self._storing = [*dict.fromkeys(map(self._quickest, gone))]

    def of(self, finding: Finding) -> str:
        """Return the command that mends a finding."""
        if finding.kind != "obstructed" and (closed := self._closed(finding)):
            return closed.command
        match finding.kind:
            case "text differs" if finding.job == AUDIT:
                return f"rm {quoted(self._folder / finding.file)} && {self._run_again([])}"
            case "stray file" | "plan damaged":
                path = self._folder / finding.file
                return f"rm {'-r ' if path.is_dir() else ''}{quoted(path)}"
            case "list damaged":
                return _list_fix(self._folder)
            case "seal broken":
                return "rm -rf " + " ".join(quoted(self._folder / one) for one in (DIGEST, SEAL))
            case "digest differs":
                return "compare the records of both runs with `cactus diff`"
            case "source lost":  # an update puts back what the project still has
                return self._run_again(self._storing)
        if finding.kind in _STALE or self._planner.assess(finding.job).stale:
            return self._run_again([])
        return self._run_again([finding.job])

    def _run_again(self, jobs: Sequence[Job]) -> str:
        """Return the command that runs some jobs again, and those that are not to be trusted.

        No job writes to a copy, and the run that it was copied from may have changed on purpose.
        """
        update, moving = f"{UPDATE} {run_words(self._planner)}", ""
        place = quoted(_from_here(self._planner.place))
        if not os.path.lexists(self._planner.place):
            moving, update = f"mv {quoted(self._folder)} {place}", f"{UPDATE} {place}"
        elif self._planner.is_copy:
            return f"copy what differs again from {place}, if `cactus audit {place}` agrees"
        again = dict.fromkeys([*self._untrusted, *jobs])
        paths = [record_path(self._folder, job) for job in again if job != AUDIT]
        named = " ".join(quoted(path) for path in paths if os.path.isfile(path))  # noqa: PTH113  no error if it is closed
        # The command without jobs is printed first.
        parts = ["" if jobs else self._clearing, f"rm -rf {named}" if named else ""]
        return " && ".join(filter(None, [*parts, moving, update]))

    def _closed(self, finding: Finding) -> Closed | None:
        """Return that the file of a finding is closed, if only opening it helps."""
        found = closed_on_the_way(self._folder / finding.file)
        return None if found is None or found.path in self._in_the_way else found

    def _quickest(self, finding: Finding) -> Job:
        """Return the quickest of the jobs that stored the same text."""
        digest = Path(finding.file).name
        records = [one for one in audited_records(self._planner) if digest in one.texts]
        quickest = min(records, key=lambda one: one.activity.seconds, default=None)
        return quickest.job if quickest else finding.job


def _list_fix(run_folder: Path) -> str:
    """Return the command that removes the damaged lines of the list of accepted changes."""
    try:
        read_waivers(run_folder)
    except RecordError as error:
        return error.fix
    return ""


def _from_here(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def run_words(planner: Planner) -> str:
    """Return how a command names a run: by its folder, if it is a copied one or is elsewhere."""
    name, folder = planner.config.run, planner.run_folder
    return name if Path("results", name).resolve() == folder.resolve() else quoted(folder)
