"""Submits jobs through Snakemake's Slurm plugin, for which any trouble of sbatch is a failed job.

A limit of jobs in the queue is waited for, an hour at most if the jobs of others fill it. If sbatch
lost its connection, Slurm may have accepted the job: it is looked up before it is submitted again.
No attempt is lost in either case, so no job requests more memory than it needs. A job that Slurm
refuses for good fails at once, and so does one whose last attempt filled the memory of its GPU.
"""

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cactus.cluster.closing import note_failure, own_job
from cactus.cluster.slurm import any_queued, is_limit, queue
from cactus.errors import ClusterError, GpuMemoryError
from cactus.provenance.execution.attempts import read_state

# Words of sbatch after which Slurm may have accepted the job, or may later.
_UNCLEAR: Final = (
    *("timed out", "unable to contact", "connection", "zero bytes", "transport endpoint"),
    *("message receive failure", "message send failure", "unexpected message", "standby"),
    *("temporarily unavailable", "interrupted system call", "no valid slurm job id"),
    *("multiple possible slurm job ids", "slurm_receive", "no route to host", "unspecified error"),
    *("munge", "credential", "error message was ''", "killed", "terminated"),
)
_FIRST_WAIT, _LONGEST_WAIT = 5.0, 30.0
# Seconds to wait at a limit while none of the user's jobs counts towards it: those of others fill a
# limit of the account or the cluster, or the job itself is larger than allowed.
_FOREIGN_LIMIT: Final = 3600.0
_WAITING: Final = {
    True: "waiting: Slurm accepts no more jobs at present; set max_jobs in the profile "
    "(slurm/config.yaml) to the limit to avoid this. ",
    False: "waiting for up to an hour: Slurm accepts no job although none of yours is queued. The "
    "jobs of others fill a limit of the account, the QOS or the cluster, or this job is larger "
    "than a limit (`sacctmgr show assoc`, `sacctmgr show qos`). ",
}
# Answers, a quarter of a minute apart, that do not say whether Slurm took the job, while it answers
# all else: such as those of a site's own rules, which are for good.
_UNCLEAR_ANSWERS: Final = 240
# Looks at the queue, some seconds apart, before a job counts as not accepted.
_LOOKS: Final = 3


@dataclass
class Submission:
    """Replaces the part of the plugin's executor that submits a job.

    Parameters
    ----------
    executor
        The plugin's executor.
    run_folder
        Folder of the run, for the note of a job that cannot be submitted.
    """

    executor: Any
    run_folder: Path
    _refusals: dict[Any, str] = field(default_factory=dict, init=False)
    _known: set[str] = field(default_factory=set, init=False)
    _stopped: threading.Event = field(default_factory=threading.Event, init=False)
    _said: str = field(default="", init=False)

    def install(self) -> None:
        """Let the executor call this object."""
        executor = self.executor
        self._submit, self._report_error = executor.run_job, executor._report_job_error_threadsafe
        self._report_submission = executor._report_job_submission_threadsafe
        executor.run_job = self.run_job
        executor._report_job_error_threadsafe = self._refused
        executor._report_job_submission_threadsafe = self._submitted
        for name in ("cancel", "shutdown"):
            setattr(executor, name, self._stopping_before(getattr(executor, name)))

    def _stopping_before(self, call: Any) -> Any:
        def stop_first() -> None:
            self._stopped.set()
            call()

        return stop_first

    def _refused(self, info: Any, msg: str) -> None:
        self._refusals[info.job] = msg

    def _submitted(self, info: Any) -> None:
        self._known.add(info.external_jobid)
        self._report_submission(info)

    def run_job(self, job: Any) -> None:
        """Submit a job, in one of the plugin's threads; return when it is submitted or failed."""
        try:
            self._run_job(job)
        except Exception as error:  # the plugin would not hear of it, and Snakemake wait forever
            self._give_up(job, f"It was not submitted: {type(error).__name__}: {error}")

    def _run_job(self, job: Any) -> None:
        if said := self._hopeless(job):
            self._give_up(job, said)
            return
        seconds, limited_since, unclear = _FIRST_WAIT, time.monotonic(), 0
        while not self._stopping:
            self._submit(job)
            refusal = self._refusals.pop(job, None)
            if refusal is None:
                return
            if not is_limit(refusal) and self._unclear(refusal) and unclear < _UNCLEAR_ANSWERS:
                if self._find(job):
                    return
                unclear += 1
                self._say(f"waiting: sbatch gives no clear answer: {_shown(refusal)}")
                continue
            own = self._own_jobs()
            if own is not False:
                limited_since = time.monotonic()
            waited = time.monotonic() - limited_since
            if not is_limit(refusal) or waited > _FOREIGN_LIMIT:
                self._fail(job, refusal, waited)
                return
            self._say(_WAITING[own is not False] + _shown(refusal))
            self._stopped.wait(seconds)
            seconds = min(2 * seconds, _LONGEST_WAIT)
        self._report_error(_info(job), msg="Snakemake was asked to stop before it was submitted.")

    def _hopeless(self, job: Any) -> str:
        """Return why another attempt would fail as the last one did, or "".

        The first attempt at a job that shares a GPU is followed by one on a whole GPU; only host
        memory and time grow with the further ones.
        """
        shared = int(os.environ.get("CACTUS_JOBS_PER_GPU", "1")) > 1
        own = own_job(job)
        if job.attempt <= 1 + shared or own is None:
            return ""
        state = read_state(self.run_folder, own) or {}
        if state.get("state") != "failed" or state.get("kind") != GpuMemoryError.__name__:
            return ""
        return f"{state.get('error')} Another attempt would not get more of it."

    @property
    def _stopping(self) -> bool:
        return self._stopped.is_set() or bool(self.executor.workflow.scheduler._user_kill)

    def _unclear(self, refusal: str) -> bool:
        return any(words in _shown(refusal).lower() for words in _UNCLEAR)

    def _own_jobs(self) -> bool | None:
        """Return whether this user has jobs in the queue; None if Slurm does not say."""
        try:
            return any_queued()
        except ClusterError:
            return None

    def _find(self, job: Any) -> bool:
        """Look for a job that sbatch may have submitted; return whether it is there."""
        looks = 0
        while looks < _LOOKS and not self._stopping:
            self._stopped.wait(_FIRST_WAIT)
            try:
                found = queue([self.executor.run_uuid])
            except ClusterError as error:
                self._say(f"waiting: Slurm does not answer: {error.got}")
                continue
            looks += 1
            for one in found:
                if one.comment == _comment(job) and one.id not in self._known:
                    self._say(f"found Slurm job {one.id} of {_name(job)}: sbatch had submitted it")
                    log = self.executor.slurm_logdir / f"rule_{job.name}" / _cell(job)
                    self._submitted(_info(job, one.id, log / f"{one.id}.log"))
                    return True
        return False

    def _fail(self, job: Any, refusal: str, waited: float) -> None:
        """Let a job fail that Slurm or its plugin refuses."""
        if (own := own_job(job)) is not None:
            after = f" within {waited / 60:.0f} min" if is_limit(refusal) else ""
            note_failure(self.run_folder, own, f"it was not submitted{after}: {_shown(refusal)}")
        self._give_up(job, refusal)

    def _give_up(self, job: Any, cause: str) -> None:
        """Let a job fail for good, because no attempt could change the cause."""
        job.attempt = max(job.attempt, job.restart_times + 1)
        self._report_error(_info(job), msg=cause)

    def _say(self, text: str) -> None:
        """Print a message once; write repeats to the log only, which shows that this is alive."""
        moment = time.strftime("%H:%M:%S")
        if text != self._said:
            self._said = text
            self.executor.logger.warning(f"{moment} {text}")
        else:
            self.executor.logger.info(f"{moment} {text}")


def _info(job: Any, identity: str | None = None, log: Path | None = None) -> Any:
    from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo

    return SubmittedJobInfo(job, external_jobid=identity, aux={"slurm_logfile": log})


def _cell(job: Any) -> str:
    """Return the wildcards of a job as the plugin writes them."""
    from snakemake_executor_plugin_slurm.utils import get_job_wildcards

    return str(get_job_wildcards(job))


def _comment(job: Any) -> str:
    return f"rule_{job.name}_wildcards_{_cell(job)}" if _cell(job) else f"rule_{job.name}"


def _name(job: Any) -> str:
    return f"{job.name} {'/'.join(job.wildcards)}"


def _shown(refusal: str) -> str:
    """Return what sbatch said, without the call."""
    return " ".join(refusal.partition("sbatch call:")[0].split())
