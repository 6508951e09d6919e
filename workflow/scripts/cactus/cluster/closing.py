"""Both ends of a run: what it takes over from other runs, its results, and which jobs failed.

Those that failed include jobs that could not say so themselves.
"""

import os
import re
import shlex
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cactus.cluster.queued import ADOPTED
from cactus.errors import counted
from cactus.exits import message_alone
from cactus.files import write_json
from cactus.provenance.execution.attempts import failure_path, next_attempt, read_state
from cactus.provenance.execution.logs import log_path
from cactus.provenance.execution.process import identity
from cactus.provenance.records.record import record_path
from cactus.provenance.staleness.obstructions import note_obstructions
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.reusable import reusable
from cactus.provenance.staleness.status import NONE_FAILED, list_failures
from cactus.stages.base import Job, stage_named, stage_names
from cactus.stages.whole_run.make_paper import PAPER
from cactus.stages.whole_run.make_report import REPORT

_LONGEST: Final = 200
_PROJECT: Final = Path(__file__).resolve().parents[4]


def stage_of(rule: Any) -> str | None:
    """Return the stage of a rule of Snakemake, which a module may import by another name."""
    if rule.name in stage_names():
        return str(rule.name)
    if not Path(str(rule.snakefile)).resolve().is_relative_to(_PROJECT):
        return None
    return next((name for name in stage_names() if rule.name.endswith(f"_{name}")), None)


def own_job(one: Any) -> Job | None:
    """Return our job of a job of Snakemake; None if no stage made it, or if it is several jobs."""
    if one.is_group():
        return None
    stage = stage_of(one.rule)
    return stage_named(stage).job(**one.wildcards_dict) if stage else None


def handlers_beside(workflow: Any, **handlers: Callable[[], None]) -> None:
    """Let `onstart`, `onsuccess` and `onerror` of a module run after those of its importer.

    Snakemake runs those of the importing workflow alone. What that defines after the import
    replaces ours. Each `use rule` of the module calls this again.
    """
    for name, handler in handlers.items():
        theirs = getattr(workflow, f"_{name}")
        setattr(workflow, f"_{name}", _Both(getattr(theirs, "theirs", theirs), handler))


class _Both:
    """A handler of the importing workflow, and then that of a module."""

    def __init__(self, theirs: Callable[[Any], None], ours: Callable[[], None]) -> None:
        self.theirs, self._ours = theirs, ours

    def __call__(self, log: Any) -> None:
        self.theirs(log)
        self._ours()


def coming_jobs(workflow: Any) -> dict[Any, Job]:
    """Return the jobs that Snakemake will run, by its own; empty if it has no graph of jobs."""
    # At the end of a dry run, all of them count as finished.
    needed = workflow.dag.needrun_jobs(exclude_finished=False) if workflow.dag else ()
    return {one: own for one in needed if (own := own_job(one))}


def say_what_is_reused(workflow: Any, planner: Planner) -> None:
    """Print how many of the jobs that Snakemake will run take their results from other runs."""
    jobs = {*coming_jobs(workflow).values()}
    coming = [planner.assess(job) for job in planner.graph.jobs if job in jobs]
    for line in reusable(planner, [one for one in coming if one.stale]).lines:
        print(f"note: {line}", file=sys.stderr)


@message_alone()
def say_last(workflow: Any, planner: Planner) -> None:
    """Print what is in the way of a dry run and what it would reuse, or the results of a run.

    It comes at the end of a call, and the results only of a whole run. Whole is a run
    that was asked for everything, and of which nothing is left to do. Calls that run no jobs, such
    as ``snakemake --dag``, print what they were asked for alone. It is called as Python exits.
    """
    if workflow.dryrun:
        note_obstructions(planner, coming_jobs(workflow).values())
        say_what_is_reused(workflow, planner)
        return
    asked, ran = workflow.dag_settings, workflow.scheduler is not None
    # No graph was asked for, as by --lint, or it failed earlier, or no job was to run.
    if asked is None or not ran or workflow.touch:
        return
    whole = "all" in (asked.targets or {"all"})
    if not whole or asked.until or asked.omit_from or asked.batch or workflow.output_settings.quiet:
        return
    if not any(workflow.dag.needrun_jobs()):
        print(result_lines(planner))


def result_lines(planner: Planner) -> str:
    """Return the accuracies of a finished run in short, and where its outputs are."""
    # Only the end of a run needs pandas, which is slow to import.
    from cactus.paper.results import read_results
    from cactus.paper.summary import format_summary

    run = planner.run_folder
    results = run / "tables" / "results.csv"
    summary = format_summary(read_results(results), planner.config.titles())
    places = f"Every number: {results}\nTables and figures: {run}/tables, {run}/figures"
    paper = run / str(PAPER.definition.main_result)
    # Whoever asked for one keeps it fresh by each whole run.
    is_there = paper.is_file() and record_path(run, PAPER).is_file()
    made = str(paper) if is_there else f"`cactus paper {run.name}` makes it, with LaTeX"
    pages = f"The whole run in one page: {run / REPORT.files[0]}\nThe paper: {made}"
    return f"{summary}\n{places}\n{pages}"


def closing_lines(workflow: Any, planner: Planner, earlier: dict[Job, dict[str, Any]]) -> str:
    """Return which jobs failed in this call; of an interrupted one, how to go on.

    A failure note is written for each job that ended without one.

    Parameters
    ----------
    workflow
        Snakemake's workflow, after it has run jobs.
    planner
        The run's planner.
    earlier
        Attempts that had failed before this call.
    """
    failed = [own for one in workflow.scheduler.failed if (own := own_job(one)) is not None]
    folder = getattr(workflow.scheduler._executor, "slurm_logdir", None)
    for job in failed:
        if read_state(planner.run_folder, job) is None:
            log = _log(planner.run_folder, job, folder)
            note_failure(planner.run_folder, job, f"it ended early: {_cause(log)}", log)
    listed = list_failures(planner, failed, earlier)
    waiting = [own for one in workflow.dag.needrun_jobs() if (own := own_job(one))]
    if not _was_interrupted(workflow.scheduler, failed, waiting):
        return listed + _what_else(workflow, planner, {*failed}, waiting)
    every = len(coming_jobs(workflow))
    done = f"interrupted with {every - len(waiting)} of {counted(every, 'job')} done"
    stopped = [] if listed == NONE_FAILED else [listed]
    return "\n".join([done, *stopped, f"{_same_command(planner)} goes on with the rest"])


def _was_interrupted(scheduler: Any, failed: list[Job], waiting: list[Job]) -> bool:
    """Return whether a signal ended a call: only then does Snakemake leave running jobs, or others.

    After SIGTERM, which `_user_kill` tells, it waits for those that run, and starts no other.
    """
    if scheduler._executor_error:
        return False
    return bool(scheduler._user_kill or scheduler.running or (waiting and not failed))


def _same_command(planner: Planner) -> str:
    """Return the command of the user that led to this call of Snakemake."""
    words, run = sys.argv[1:], planner.run_folder
    if ADOPTED in os.environ:
        return "the same `cactus run`"
    if any(one.startswith(f"{run}/") for one in words):  # `cactus update` asks for files
        return f"`cactus update {run.name}`"
    return f"`{shlex.join(['snakemake', *words])}`"


def _what_else(workflow: Any, planner: Planner, failed: set[Job], waiting: list[Job]) -> str:
    """Return how many jobs a call left that need none of those that failed."""
    if not failed or workflow.execution_settings.keep_going:
        return ""
    left = [one for one in waiting if failed.isdisjoint(planner.graph.ancestry(one))]
    others = counted(len(left), "other job needs", "other jobs need")
    return f"\n{others} none of them: with --keep-going, the same command goes on" if left else ""


def note_failure(run_folder: Path, job: Job, error: str, log: Path | None = None) -> None:
    """Write a job's failure note in its place."""
    moment = datetime.now(UTC).isoformat()
    facts = {
        **identity(),
        "state": "failed",
        "error": error,
        "started": moment,
        "ended": moment,
        "attempt": next_attempt(run_folder, job) - 1,
        **({"log": str(log)} if log else {}),
    }
    write_json(failure_path(run_folder, job), facts)


def _log(run_folder: Path, job: Job, slurm_logs: Path | None) -> Path | None:
    """Return the log that says why a job ended: its own, or the newest one of Slurm."""
    own = log_path(run_folder, job)
    if own.is_file() and own.stat().st_size:
        return own
    cell = "_".join(job.wildcards.values())
    found = (slurm_logs / f"rule_{job.stage}" / cell).glob("*.log") if slurm_logs else ()
    return max(found, key=lambda log: log.stat().st_mtime, default=None)


def _cause(log: Path | None) -> str:
    """Return the line of a log that tells most: an error of Slurm, else the last one."""
    text = log.read_text(encoding="utf-8", errors="replace") if log else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if re.match(r"(srun|slurmstepd|slurmd|sbatch)\b.*error", line)]
    return (told or lines[-1:] or ["without a word"])[0][:_LONGEST]
