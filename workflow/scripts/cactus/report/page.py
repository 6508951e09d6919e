"""The page of a run: one HTML file, and the map from its numbers to the results."""

import base64
import hashlib
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from cactus.config.printed.durations import duration
from cactus.files import write_json, write_text
from cactus.paper.paired import BASE, BASE_MEANS
from cactus.paper.results import caveat, rows_of_tables
from cactus.paper.verdicts import verdict_counts
from cactus.report.comparisons import paired_tables, quality_tables
from cactus.report.compute import facts, memory, stage_lines
from cactus.report.details import cell_details, embedding_details
from cactus.report.figures import figures, table_files
from cactus.report.grid import grid_tables
from cactus.report.view import Numbers, RunView

_TEMPLATES: Final = Path(__file__).with_name("templates")
_PAGE: Final = "page.html.jinja"


def write_page(view: RunView, root: Path, page: Path, number_map: Path | None = None) -> None:
    """Write the page of a run.

    Parameters
    ----------
    root
        The project's folder, which has the captions.
    page
        The ``.html`` file to write.
    number_map
        Where to write the map from the page's numbers to the results, if it is wanted.
    """
    numbers = Numbers()
    write_text(page, render(view, root, numbers))
    if number_map is not None:
        write_json(number_map, {"page": page.name, "cells": numbers.entries})


def render(view: RunView, root: Path, numbers: Numbers) -> str:
    """Return the page as HTML; take its numbers."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"duration": duration, "memory": memory}
    script = (_TEMPLATES / "script.js").read_text(encoding="utf-8")
    template = environment.get_template(_PAGE)
    return template.render(
        **_content(view, root, numbers),
        script=Markup(script),
        style=Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8")),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _content(view: RunView, root: Path, numbers: Numbers) -> dict[str, Any]:
    """Return what the template shows, in the order of the page."""
    grid = view.reader.config.expanded_grid
    records = view.records
    shown = figures(view)
    return {
        "view": view,
        "run": view.run,
        "caveat": caveat(view.results) if len(view.results) else "",
        "datasets": [view.titles.dataset(name) for name in grid.datasets],
        "cells": len(grid.cells),
        "counts": verdict_counts(rows_of_tables(view.results)) if len(view.results) else "",
        "grid": grid_tables(view, numbers),
        "paired": (paired := paired_tables(view, numbers)),
        "base": BASE if any(BASE in table.columns for table in paired) else "",
        "base_means": BASE_MEANS,
        "quality": quality_tables(view, numbers),
        "figures": shown,
        "tables": table_files(view, root),
        "stages": stage_lines(records),
        "facts": facts(records),
        "details": cell_details(view, numbers, {one.name for one in shown}),
        "embeddings": embedding_details(view),
    }
