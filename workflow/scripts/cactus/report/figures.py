"""The figures and the tables of a run, with their captions."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Final, NamedTuple

import jinja2

from cactus.errors import CodeError
from cactus.files import read_text
from cactus.report.anchors import figure_anchor
from cactus.report.pictures import Picture, embedded
from cactus.report.view import RunView
from cactus.stages.aggregate_results import RESULTS
from cactus.stages.base import Job
from cactus.stages.make_figure import STAGE as MAKE_FIGURE
from cactus.stages.make_table import STAGE as MAKE_TABLE

# Captions are templates of Snakemake's report, which it fills in with its own words.
CAPTIONS: Final = "workflow/report"


class Figure(NamedTuple):
    """A figure: its place, its picture, and the address of the file to print."""

    name: str
    anchor: str
    title: str
    caption: str
    picture: Picture
    pdf: str


class TableFile(NamedTuple):
    """A table's file."""

    name: str
    caption: str
    address: str


def figures(view: RunView, root: Path) -> list[Figure]:
    """Return the figures of a run that are drawn; `root` is the project's folder."""
    found = []
    for job in view.reader.graph.by_stage[MAKE_FIGURE.name]:
        pdf, png = (_file(job, suffix) for suffix in (".pdf", ".png"))
        if view.record(job) is None or not (view.folder / png).is_file():
            continue
        kind, _, dataset = job.cell.partition("-")
        title = kind.replace("_", " ").capitalize()
        title += f": {view.titles.dataset(dataset)}" if dataset else ""
        caption = _caption(root, "figure", figure=job.cell)
        picture = embedded(view.folder / png)
        found.append(
            Figure(job.cell, figure_anchor(job.cell), title, caption, picture, view.link(pdf))
        )
    return found


def table_files(view: RunView, root: Path) -> list[TableFile]:
    """Return the tables of a run that are made: those of LaTeX, and the numbers as CSV."""
    files = [TableFile(name, "", view.link(name)) for name in RESULTS.files if view.counts(RESULTS)]
    for job in view.reader.graph.by_stage[MAKE_TABLE.name]:
        if view.counts(job):
            caption = _caption(root, "table", table=job.cell)
            files.append(TableFile(job.files[0], caption, view.link(job.files[0])))
    return files


def _file(job: Job, suffix: str) -> str:
    return next(name for name in job.files if name.endswith(suffix))


def _caption(root: Path, kind: str, **wildcards: str) -> str:
    """Return the caption that Snakemake's report has, as one line of text."""
    path = root / CAPTIONS / f"{kind}.rst"
    try:
        template = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(read_text(path))
        words = SimpleNamespace(wildcards=SimpleNamespace(**wildcards))
        return re.sub(r"\s+", " ", template.render(snakemake=words)).strip()
    except (OSError, ValueError, jinja2.TemplateError) as error:
        raise CodeError(
            "A caption of the report cannot be read.",
            where=str(path),
            got=str(error),
            fix="restore the file from the repository",
        ) from error
