"""The commands that mend what an audit finds."""

import hashlib
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from cactus.provenance.audit.findings import Finding, audited_records
from cactus.provenance.records.record import record_path
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job
from cactus.stages.whole_run.audit_run import AUDIT

# Findings that make their job stale, so that an update fixes them.
_STALE: Final = {
    "record missing", "record damaged", "output missing", "output changed", "stale",
}  # fmt: skip
# Findings whose job has a record that others contradict: only running it again gives a true one.
_UNTRUSTED: Final = {"link broken", "input differs", "record damaged"}


class Fixes:
    """Finds the command for each finding of an audit.

    A job whose record others contradict is run again with each of them. If only the jobs that read
    its results were, they would take over what may be forged.
    """

    def __init__(self, planner: Planner, findings: Sequence[Finding]) -> None:
        self._planner, self._folder = planner, planner.run_folder
        found = {one.job for one in findings if one.kind in _UNTRUSTED}
        self._untrusted = [job for job in planner.graph.jobs if job in found and job != AUDIT]

    def of(self, finding: Finding) -> str:
        """Return the command that mends a finding."""
        match finding.kind:
            case "text differs" if finding.job == AUDIT:
                return f"rm {_quoted(self._folder / finding.file)} && {self._run_again([])}"
            case "stray file" | "plan damaged":
                path = self._folder / finding.file
                return f"rm {'-r ' if path.is_dir() else ''}{_quoted(path)}"
            case "list damaged":
                return f"remove the damaged line of {self._folder / finding.file}"
            case "seal broken":
                return f"cactus seal {run_words(self._planner)}"
            case "digest differs":
                return "compare the records of both runs with `cactus diff`"
            case "source lost" if source := self._kept_source(finding):
                return f"cp {_quoted(source)} {_quoted(self._folder / finding.file)}"
            case "source lost":
                return self._run_again([self._quickest(finding)])
        if finding.kind in _STALE or self._planner.assess(finding.job).stale:
            return self._run_again([])
        return self._run_again([finding.job])

    def _run_again(self, jobs: Iterable[Job]) -> str:
        """Return the command that runs some jobs again, and those that are not to be trusted."""
        update = f"cactus update {run_words(self._planner)}"
        again = dict.fromkeys([*self._untrusted, *jobs])
        paths = [record_path(self._folder, job) for job in again if job != AUDIT]
        named = " ".join(_quoted(path) for path in paths if path.exists())
        return f"rm -rf {named} && {update}" if named else update

    def _kept_source(self, finding: Finding) -> Path | None:
        """Return the project's file whose text was lost, if it is still the same."""
        digest = Path(finding.file).name
        record = self._planner.record(finding.job)
        for name, stored in record.activity.sources.items() if record else ():
            path = self._planner.project.root / "workflow" / "scripts" / name
            if stored == digest and path.is_file():
                same = hashlib.sha256(path.read_bytes()).hexdigest() == digest
                return path if same else None
        return None

    def _quickest(self, finding: Finding) -> Job:
        """Return the quickest of the jobs that stored the same text."""
        digest = Path(finding.file).name
        records = [one for one in audited_records(self._planner) if digest in one.texts]
        quickest = min(records, key=lambda one: one.activity.seconds, default=None)
        return quickest.job if quickest else finding.job


def run_words(planner: Planner) -> str:
    """Return how a command names a run: a copied one, whose configuration has another name, too."""
    name, folder = planner.config.run, planner.run_folder
    return name if folder.name == name else _quoted(folder)


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
