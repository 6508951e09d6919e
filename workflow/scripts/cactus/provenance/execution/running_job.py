"""A running job as its stage sees it: what to do, where results go, where to resume."""

import json
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cactus.config.sections.operation import CheckpointSettings
from cactus.provenance.execution.attempts import work_folder
from cactus.provenance.execution.lease import Lease
from cactus.provenance.records.plan import Plan
from cactus.train.stop import StopRequest

if TYPE_CHECKING:
    from cactus.train.checkpoint import Checkpoints

ATTEMPT_PREFIX: Final = "attempt-"


@dataclass
class RunningJob:
    """The job of this process.

    Attributes
    ----------
    run_folder
        Folder of the run.
    plan
        The job's plan; no input is pending anymore.
    stop
        Tells whether the job was asked to stop.
    lease
        The right to write the job's results; its token identifies this attempt.
    sources
        The content of each source file that runs.
    started
        When the job started.
    clock
        The same by a monotonic clock, in seconds.
    upstream
        Names of the jobs whose records the job's record links to.
    raw
        sha256 of each raw file that the job reads, if any; the job fills it in.
    """

    run_folder: Path
    plan: Plan
    stop: StopRequest
    lease: Lease
    sources: dict[str, bytes]
    started: datetime
    clock: float
    upstream: list[str] = field(default_factory=list)
    raw: dict[str, str] = field(default_factory=dict)
    _checkpoints: "Checkpoints | None" = None

    @property
    def spec(self) -> str:
        """The configuration keys that the stage reads, as JSON."""
        return json.dumps(self.plan.spec)

    @property
    def work(self) -> Path:
        """The folder for what the job needs until it is finished."""
        return work_folder(self.run_folder, self.plan.job)

    @property
    def staging(self) -> Path:
        """The folder in which this attempt makes its results."""
        return self.work / f"{ATTEMPT_PREFIX}{self.lease.token}"

    @property
    def output(self) -> Path:
        """Where to write results: the job's own folder while it runs, or its first file."""
        job = self.plan.job
        if job.folder is None:
            return self.run_folder / job.files[0]
        return self.staging / Path(job.folder).name

    def input_folder(self, kind: str) -> Path:
        """Return the only folder in `kind`, e.g. ``embeddings``, that the job reads from."""
        (folder,) = {Path(name).parent for name in self.plan.inputs if name.startswith(f"{kind}/")}
        return self.run_folder / folder

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return time.monotonic() - self.clock

    @property
    def fingerprint(self) -> str:
        """sha256 of everything that the job's results depend on."""
        return self.plan.fingerprint

    @property
    def resumed_from(self) -> list[int]:
        """Steps from which the job resumed after interruptions."""
        return self._checkpoints.resumed_from if self._checkpoints else []

    def progress(self) -> dict[str, Any]:
        """Return the progress of the job's training; empty if it has not started to train."""
        if self._checkpoints is None or not self._checkpoints.progress.steps:
            return {}
        return asdict(self._checkpoints.progress)

    def checkpoints(self, settings: str) -> "Checkpoints":
        """Return the job's checkpoints, including those of earlier attempts.

        Parameters
        ----------
        settings
            The configuration's section ``checkpoints`` as JSON. No result depends on it, so it is
            not part of the plan.
        """
        # Imports PyTorch, which most jobs do not need.
        from cactus.train.checkpoint import Checkpoints

        when = CheckpointSettings.model_validate_json(settings)
        self._checkpoints = Checkpoints(
            self.work / "checkpoints",
            self.fingerprint,
            seconds=when.seconds,
            steps=when.steps,
            stop=self.stop,
            check=self.lease.check,
        )
        return self._checkpoints
