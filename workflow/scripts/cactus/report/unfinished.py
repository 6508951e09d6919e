"""Reads what the page of an unfinished run can show."""

import tempfile
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from cactus.paper import paired, partition_quality, results
from cactus.paper.aggregate import aggregate
from cactus.paper.partition_quality import aggregate_quality
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.status import JobStatus, job_status, worst
from cactus.report.finished import read_audit
from cactus.report.view import MissingCell, RunView
from cactus.stages.base import Job
from cactus.stages.measure_partitions import STAGE as MEASURE_PARTITIONS
from cactus.stages.whole_run.audit_run import AUDIT

PUBLISHED_FILE = "config/paper_results.csv"


def unfinished_view(planner: Planner, prefix: str) -> RunView:
    """Return what the page of a run shows that need not be finished, as of now.

    Only results that are fresh count. The accuracies are those that the run will have, as far as
    its cells are scored. If the audit is fresh, the page states its verdict.

    Parameters
    ----------
    planner
        The planner of the run.
    prefix
        Path from the page's folder to the run's; empty or ends in a slash.
    """
    config = planner.config
    states = {one.job: job_status(planner, one) for one in planner.assess_all()}
    fresh = {job for job, status in states.items() if status.state == "fresh"}
    missing = [
        _missing(cell.name, [states[job] for job in planner.graph.find(cell.name)])
        for cell in config.expanded_grid.cells
        if not fresh.issuperset(planner.graph.find(cell.name))
    ]
    frames = _numbers(planner, fresh)
    decimals, titles = config.outputs.decimals, config.titles()
    audit = read_audit(planner) if AUDIT in fresh else None
    return RunView(planner, *frames, decimals, titles, audit, prefix, missing, fresh)


def _missing(cell: str, chain: list[JobStatus]) -> MissingCell:
    """Return the state of a cell: that of the most urgent of its jobs."""
    state = worst([status.state for status in chain])
    first = next(
        (one for one in chain if one.state == state and one.note),
        next(one for one in chain if one.state == state),
    )
    return MissingCell(cell, state, f"{first.job.name}: {first.note}" if first.note else "")


def _numbers(
    planner: Planner, fresh: Collection[Job]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the tables of results, of paired tests and of quality, of the jobs that are fresh."""
    config, folder = planner.config, planner.run_folder
    scored = [
        str(job.folder) for job in planner.graph.jobs if job in fresh if job.definition.scores
    ]
    measured = [
        str(job.folder) for job in planner.graph.by_stage[MEASURE_PARTITIONS.name] if job in fresh
    ]
    datasets = config.expanded_grid.datasets
    splits = {name: config.evaluation.resolve(name).split for name in datasets}
    with tempfile.TemporaryDirectory() as place:
        table, quality = Path(place, "results.csv"), Path(place, "quality.csv")
        aggregate_quality(folder, config.run, measured, quality)
        shown = partition_quality.read_quality_table(quality)
        if not scored:
            empty = (pd.DataFrame(columns=list(one)) for one in (results.COLUMNS, paired.COLUMNS))
            return (*empty, shown)  # type: ignore[return-value]
        published = planner.project.root / PUBLISHED_FILE
        aggregate(folder, config.run, scored, splits, published, table)
        tests = paired.read_paired(table.with_name(paired.PAIRED_FILE))
        return results.read_results(table), tests, shown
