"""A job as its stage sees it: what to do, where results go, and what it resumes from."""

import hashlib
import json
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cactus.config.checkpoints import CheckpointSettings
from cactus.provenance.execution.attempts import work_folder
from cactus.provenance.records.plan import Plan
from cactus.stop import StopRequest

if TYPE_CHECKING:
    from cactus.checkpoint import Checkpoints

ATTEMPT_PREFIX: Final = "attempt-"


@dataclass
class RunningJob:
    """The job of this process.

    Attributes
    ----------
    run_folder
        Folder of the run.
    plan
        What the job has to be; no input is pending any more.
    stop
        Request to stop it.
    token
        Names this attempt.
    sources
        The text of each source file that runs.
    started
        When the job started.
    clock
        The same by a clock that is never set back, in seconds.
    raw
        sha256 of each raw file that the job read, if it reads any; the job fills it in.
    resumed_from
        Steps from which the job resumed after interruptions.
    """

    run_folder: Path
    plan: Plan
    stop: StopRequest
    token: str
    sources: dict[str, str]
    started: datetime
    clock: float
    raw: dict[str, str] = field(default_factory=dict)
    _checkpoints: "Checkpoints | None" = None

    @property
    def spec(self) -> str:
        """The keys of the configuration that the stage reads, as JSON."""
        return json.dumps(self.plan.spec)

    @property
    def work(self) -> Path:
        """The folder for what the job needs while it is not finished."""
        return work_folder(self.run_folder, self.plan.job)

    @property
    def staging(self) -> Path:
        """The folder in which this attempt makes its results, as long as it runs."""
        return self.work / f"{ATTEMPT_PREFIX}{self.token}"

    @property
    def output(self) -> Path:
        """The job's own folder, as long as it runs, or its first file."""
        job = self.plan.job
        if job.folder is None:
            return self.run_folder / job.files[0]
        return self.staging / Path(job.folder).name

    def input_folder(self, kind: str) -> Path:
        """Return the one folder below `kind`, e.g. ``embeddings``, that the job reads from."""
        read = {Path(name).parent for name in self.plan.inputs if name.startswith(f"{kind}/")}
        (folder,) = read
        return self.run_folder / folder

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return time.monotonic() - self.clock

    @property
    def fingerprint(self) -> str:
        """sha256 of everything that the job's results follow from."""
        content = self.plan.model_dump(mode="json", exclude={"raw"})
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def resumed_from(self) -> list[int]:
        """Steps from which the job resumed after interruptions."""
        return self._checkpoints.resumed_from if self._checkpoints else []

    def progress(self) -> dict[str, Any]:
        """Return how far the job's training has come, if it trains and has started to."""
        if self._checkpoints is None or not self._checkpoints.progress.steps:
            return {}
        return asdict(self._checkpoints.progress)

    def checkpoints(self, settings: str) -> "Checkpoints":
        """Return the job's checkpoints, those of earlier attempts too.

        Parameters
        ----------
        settings
            The configuration's section ``checkpoints`` as JSON. It decides nothing about results,
            so it is read here and not by the stage.
        """
        from cactus.checkpoint import Checkpoints  # which needs PyTorch, as most jobs do not

        when = CheckpointSettings.model_validate_json(settings)
        self._checkpoints = Checkpoints(
            self.work / "checkpoints",
            self.fingerprint,
            seconds=when.seconds,
            steps=when.steps,
            stop=self.stop,
        )
        return self._checkpoints
