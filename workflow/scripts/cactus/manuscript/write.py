"""Writes the paper of a run: the numbers, the text, and the PDF."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import jinja2

from cactus.files import write_json, write_text
from cactus.manuscript.content import content, run_facts
from cactus.manuscript.departures import Departure
from cactus.manuscript.latex import compile_pdf
from cactus.manuscript.numbers import numbers_file
from cactus.paper.latex import escape
from cactus.report.view import RunView

_TEMPLATES: Final = Path(__file__).with_name("templates")
_TEMPLATE: Final = "paper.tex.jinja"


class PaperFiles(NamedTuple):
    """The files of a paper."""

    numbers: Path
    number_map: Path
    text: Path
    pdf: Path


def write_paper(view: RunView, root: Path, files: PaperFiles) -> None:
    """Write the paper of a finished and audited run.

    Parameters
    ----------
    view
        The run.
    root
        The project's folder, which has the protocol and the captions.
    files
        The files to write. The text reads tables and figures from folders beside its own.

    Raises
    ------
    ResourceError, CodeError
        See `cactus.manuscript.latex.compile_pdf`.
    """
    write_source(view, root, files)
    compile_pdf(files.text, files.pdf, moment_of(view))


def write_source(view: RunView, root: Path, files: PaperFiles) -> None:
    """Write all of a paper but its PDF, see `write_paper`."""
    text, entries = numbers_file(view, run_facts(view))
    write_text(files.numbers, text)
    write_json(files.number_map, {"cells": entries})
    write_text(files.text, paper_text(content(view, root)))


def moment_of(view: RunView) -> int:
    """Return the time that a paper's PDF gives: when the run ended, in seconds since 1970."""
    ended = max(record.activity.ended for record in view.records)
    return int(datetime.fromisoformat(ended).timestamp())


def paper_text(shown: dict[str, Any]) -> str:
    """Return the LaTeX text of a paper, see `cactus.manuscript.content.content`."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "tex": _tex,
        "capitalized": lambda text: text[:1].upper() + text[1:],
        "sentence": lambda text: text if text.endswith(".") else f"{text}.",
    }
    return environment.get_template(_TEMPLATE).render(**shown, table_of=_listed)


def _tex(text: str) -> str:
    """Return text for LaTeX; words in the backquotes of Markdown become typewriter text."""
    parts = text.replace("**", "").split("`")
    return "".join(
        rf"\texttt{{{escape(part)}}}" if index % 2 else escape(part)
        for index, part in enumerate(parts)
    )


def _listed(rows: list[Departure], original: str) -> str:
    """Return a table of several pages: points, the original if that is known, and this study."""
    titles = ["Point", *(["The original"] if original else []), "Here", "Why"]
    widths = (0.19, 0.19, 0.23, 0.28) if original else (0.22, 0.33, 0.37)
    columns = "".join(rf"P{{{width}\linewidth}}" for width in widths)
    head = [rf"\begin{{longtable}}{{{columns}}}", r"\toprule"]
    head += [" & ".join(titles) + r" \\", r"\midrule\endhead", r"\bottomrule\endfoot"]
    body = [
        " & ".join(_tex(text) for text in (one if original else (one[0], *one[2:]))) + r" \\"
        for one in rows
    ]
    return "\n".join([r"{\scriptsize", *head, *body, r"\end{longtable}}"])
