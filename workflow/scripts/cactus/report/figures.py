"""The figures and the tables of a run, with their captions."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Final, NamedTuple

import jinja2

from cactus.errors import CodeError, DataError
from cactus.files import read_json, read_text
from cactus.report.anchors import figure_anchor
from cactus.report.pictures import Picture, embedded
from cactus.report.view import RunView
from cactus.stages.aggregate_results import RESULTS
from cactus.stages.base import Job
from cactus.stages.make_figure import STAGE as MAKE_FIGURE
from cactus.stages.make_table import STAGE as MAKE_TABLE

# What is not the name of the kind with spaces.
_TITLES: Final = {
    "paper_comparison": "Comparison with the paper",
    "shots": "Accuracy by shot",
    "differences": "Paired differences",
    "partitions": "Accuracy by partitions",
    "purity": "Purity of the clusters",
    "embedding_maps": "Maps of the embeddings",
    "neighbors": "Nearest neighbors",
    "confusion": "Confused classes",
    "episodes": "Accuracies of episodes",
    "diagnostics": "Diagnostic pictures",
}
# Those of tables are templates of Snakemake's report, which it fills in with its own words.
CAPTIONS: Final = "workflow/report"


@dataclass(frozen=True)
class Figure:
    """A figure: its place, the file of its picture, and the address of the file to print."""

    name: str
    anchor: str
    title: str
    caption: str
    png: Path
    pdf: str

    @cached_property
    def picture(self) -> Picture:
        """The picture to embed, which only a page reads: a paper includes the file to print."""
        return embedded(self.png)


class TableFile(NamedTuple):
    """A table's file."""

    name: str
    caption: str
    address: str


def figures(view: RunView) -> list[Figure]:
    """Return the figures of a run that are drawn from what counts, with their maps' captions."""
    found = []
    for job in view.reader.graph.by_stage[MAKE_FIGURE.name]:
        pdf, png, number_map = (_file(job, suffix) for suffix in (".pdf", ".png", ".map.json"))
        there = all((view.folder / name).is_file() for name in (png, number_map))
        if not view.counts(job) or not there:
            continue
        kind, _, dataset = job.cell.partition("-")
        title = _TITLES.get(kind, kind.replace("_", " ").capitalize())
        title += f": {view.titles.dataset(dataset)}" if dataset else ""
        caption = _caption_of(view.folder / number_map)
        anchor, picture = figure_anchor(job.cell), view.folder / png
        found.append(Figure(job.cell, anchor, title, caption, picture, view.link(pdf)))
    return found


def table_files(view: RunView, root: Path) -> list[TableFile]:
    """Return the tables of a run that are made: those of LaTeX, and the numbers as CSV."""
    files = [TableFile(name, "", view.link(name)) for name in RESULTS.files if view.counts(RESULTS)]
    for job in view.reader.graph.by_stage[MAKE_TABLE.name]:
        if view.counts(job):
            caption = _caption(root, "table", table=job.cell)
            files.append(TableFile(job.files[0], caption, view.link(job.files[0])))
    return files


def _caption_of(number_map: Path) -> str:
    """Return the caption of a figure; empty if its map is damaged, which the audit reports."""
    try:
        content = read_json(number_map)
    except DataError:
        return ""
    return str(content.get("caption", "")) if isinstance(content, dict) else ""


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
