"""What the text of a paper says of a run, besides what its template says of every run."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from cactus.config.load import read_yaml
from cactus.config.models import Config
from cactus.config.printed.durations import duration
from cactus.config.printed.words import listed
from cactus.errors import counted
from cactus.manuscript.changes import changed
from cactus.manuscript.departures import departures, divided
from cactus.manuscript.findings import Finding, findings, verdicts_in_words
from cactus.manuscript.pages import arranged, floats, kinds
from cactus.manuscript.parts import cited, own_parts, parts_of
from cactus.manuscript.protocol import Section
from cactus.manuscript.references import references
from cactus.paper.results import caveat, rows_of_tables
from cactus.paper.tables.unpublished import unpublished_notes
from cactus.paper.verdicts import resting_on_recalled
from cactus.report.compute import facts, memory, stage_lines
from cactus.report.figures import figures
from cactus.report.view import RunView
from cactus.stages.make_table import STAGE as MAKE_TABLE
from cactus.stages.whole_run.make_paper import PROTOCOL


class DatasetText(NamedTuple):
    """A data set: its title, its main numbers, its tables, and what these leave out.

    `tables` has the names of the tables by their kinds.
    """

    title: str
    findings: list[Finding]
    tables: dict[str, str]
    unpublished: list[str]


def content(view: RunView, root: Path) -> dict[str, Any]:
    """Return what the template shows; `root` is the project's folder."""
    config = view.reader.config
    rows = rows_of_tables(view.results)
    grid = config.expanded_grid
    records = view.records
    datasets = [view.titles.dataset(name) for name in grid.datasets]
    learners = {view.titles.learner(one.learner) for one in grid.trained_cells}
    return {
        "run": view.run,
        "title": f"CACTUs on {listed(datasets)}: A Reproducible Study",
        "references": references(cited(config)),
        "own_parts": listed(own_parts(config, view.titles)),
        "caveat": caveat(view.results),
        "splits": view.splits,
        "listed": listed(datasets),
        "datasets": [_dataset(view, rows, name) for name in grid.datasets],
        "embeddings": listed(sorted({view.titles.source(one) for one in _embeddings(config)})),
        "learners": listed(sorted(learners)),
        "baselines": bool(grid.with_baselines),
        "scratch": any(one.source == "scratch" for one in grid.cells),
        "oracle": any(one.source == "labels" for one in grid.cells),
        "resting": resting_on_recalled(rows),
        "selected": bool((view.results["validation_tasks"] > 0).any()),
        **_figures(view),
        "quality": "".join(_tables(view, None).values()),
        **_departures(view, root),
        "changed": changed(config, view.titles),
        "facts": facts(records),
        "stages": stage_lines(records),
        "memory": memory,
        "duration": duration,
    }


def _figures(view: RunView) -> dict[str, Any]:
    """Return the floats of figures, and their kinds; one without anything to show is left out."""
    compared = bool(view.results["difference"].notna().any())
    shown = [
        one for one in figures(view) if one.pdf and (compared or one.name != "paper_comparison")
    ]
    folder = view.folder / "figures"
    shown = arranged(shown, folder)
    return {"floats": floats(shown, folder), "kinds": kinds(shown)}


def _departures(view: RunView, root: Path) -> dict[str, Any]:
    """Return where the study departs, of its own accord or not, and what no source has."""
    config = view.reader.config
    departing, silent = departures(
        protocol_sections(root),
        config.model_dump(mode="json"),
        Config().model_dump(mode="json"),
        parts_of(config),
        view.titles,
    )
    own, reasoned = divided(departing)
    return {"own": own, "reasoned": reasoned, "silent": silent}


def run_facts(view: RunView) -> dict[str, str]:
    """Return the facts that the text names, as text by name."""
    config, audit = view.reader.config, view.audit
    if audit is None:
        raise ValueError("a paper states the verdict of the audit, and this run has none")
    rows = rows_of_tables(view.results)
    records = view.records
    seconds = sum(record.activity.seconds for record in records)
    tasks = sorted({*view.results["tasks"]})
    return {
        "cells": counted(len(config.expanded_grid.cells), "combination"),
        "accuracies": f"{len(rows):,} {'accuracy' if len(rows) == 1 else 'accuracies'}",
        "seeds": _seeds(config),
        "tasks": " to ".join(f"{one:,}" for one in dict.fromkeys((tasks[0], tasks[-1]))),
        "verdicts": verdicts_in_words(rows),
        "jobs": f"{audit['jobs']:,}",
        "files": f"{audit['files']:,}",
        "printed": f"{audit['numbers']:,}",
        "verdict": "all agree" if not audit["findings"] else f"{len(audit['findings'])} findings",
        "code": dict(facts(records)).get("Code", "code of an unknown commit"),
        "digest": str(audit["digest"]),
        "time": duration(seconds),
        **{one.close_fact: one.close_count for one in findings(rows, view.paired, view.titles)},
    }


def _seeds(config: Config) -> str:
    """Return how many training seeds a cell has, e.g. ``1 to 3 training seeds``."""
    cells = config.expanded_grid.cells
    counts = sorted({*Counter(one._replace(seed=0) for one in cells).values()})
    first = f"{counts[0]} to " if len(counts) > 1 else ""
    return first + counted(counts[-1], "training seed")


def protocol_sections(root: Path) -> list[Section]:
    """Return the sections of the protocol of a clone."""
    return [Section.model_validate(read_yaml(root / name)) for name in PROTOCOL]


def _dataset(view: RunView, rows: pd.DataFrame, dataset: str) -> DatasetText:
    chosen = rows[rows["dataset"] == dataset]
    return DatasetText(
        view.titles.dataset(dataset),
        findings(chosen, view.paired, view.titles),
        _tables(view, dataset),
        unpublished_notes(chosen, view.titles),
    )


def _tables(view: RunView, dataset: str | None) -> dict[str, str]:
    """Return the names of the tables of a data set, or of those that show the whole run, by kind.

    That of the paired tests is left out where there is no pair, and that of the verdicts where the
    paper has no number.
    """
    tables = [MAKE_TABLE.parse(job.cell) for job in view.reader.graph.by_stage[MAKE_TABLE.name]]
    here = view.results[view.results["dataset"] == dataset]
    filled = {
        "tests": bool((view.paired["dataset"] == dataset).any()),
        "verdicts": bool(here["difference"].notna().any()),
    }
    return {
        one.kind: one.table
        for one in tables
        if one.dataset == dataset and filled.get(one.kind, True)
    }


def _embeddings(config: Config) -> Iterator[str]:
    return iter(dict.fromkeys(name for _, name, _ in config.expanded_grid.embedding_runs))
