"""Pages of fake runs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from cactus.config.load import parse_config
from cactus.config.printed.titles import UNTITLED, Titles
from cactus.paper.paired import PAIRED_FILE, read_paired
from cactus.paper.partition_quality import read_quality_table
from cactus.paper.results import read_results
from cactus.provenance.records.record import write_record
from cactus.provenance.records.run_reader import RunReader
from cactus.report.page import write_page
from cactus.report.view import MissingCell, RunView
from cactus.stages.base import Job
from tests.unit.paper.conftest import make_run
from tests.unit.paper.fake_run import FakeRun
from tests.unit.provenance.records.a_record import a_record
from tests.workflow.project import ROOT

AUDIT: dict[str, Any] = {"findings": [], "notes": ["made by <hand>"], "jobs": 9, "files": 8,
                         "numbers": 7, "digest": "d1e5" * 16}  # fmt: skip


class Page(NamedTuple):
    """A page, its map, and what it shows."""

    file: Path
    number_map: Path
    view: RunView


def make_page(
    fake: FakeRun,
    *,
    run: str = "fake",
    titles: Titles = UNTITLED,
    audit: dict[str, Any] | None = AUDIT,
    spec: dict[str, Any] | None = None,
    missing: tuple[MissingCell, ...] = (),
    empty: bool = False,
    seeds: Sequence[int] | None = None,
) -> Page:
    """Write a fake run and its page.

    Parameters
    ----------
    run
        Name of the run that the page shows.
    titles
        Titles of what the study adds.
    audit
        What the audit found.
    spec
        What the evaluation of the first cell read of the configuration; without it, no job of the
        run has a record.
    missing
        Cells that the run lacks.
    empty
        Whether nothing is scored yet.
    seeds
        Those of the grid, if they are others than those that are scored.
    """
    made = make_run(fake)
    grid = {
        "datasets": list(fake.datasets),
        "embeddings": list(fake.embeddings),
        "learners": list(fake.learners),
        "controls": {name: list(fake.controls) for name in fake.datasets},
        "scratch": fake.scratch,
        "baselines": True,
        "seeds": list(seeds or fake.seeds),
    }
    reader = RunReader(parse_config({"run": "fake", "grid": grid}), made.folder)
    reader.config = reader.config.model_copy(update={"run": run})
    if spec is not None:
        record, cell = a_record(), reader.config.expanded_grid.cells[0]
        job = Job("evaluate_model", cell.name)
        plan = record.plan.model_copy(update={"stage": job.stage, "cell": job.cell, "spec": spec})
        activity = record.activity.model_copy(update={"plan": plan})
        write_record(made.folder, record.model_copy(update={"activity": activity}))
    tables = made.results.parent
    frames = read_results(made.results), read_paired(tables / PAIRED_FILE)
    quality = read_quality_table(made.quality)
    view = RunView(reader, *frames, quality, 2, titles, audit, missing=missing)
    if empty:
        view = replace(
            view,
            results=view.results.iloc[:0],
            paired=view.paired.iloc[:0],
            quality=view.quality.iloc[:0],
        )
    page, number_map = made.folder / "report.html", made.folder / "report.map.json"
    write_page(view, ROOT, page, number_map)
    return Page(page, number_map, view)
