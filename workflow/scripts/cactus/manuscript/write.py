"""Writes the paper of a run: the numbers, the text, and the PDF."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import jinja2

from cactus.config.printed.words import inline
from cactus.errors import counted
from cactus.files import write_json, write_text
from cactus.manuscript.content import content, run_facts
from cactus.manuscript.departures import Parts
from cactus.manuscript.latex import compile_pdf
from cactus.manuscript.numbers import numbers_file
from cactus.paper.latex import escape
from cactus.report.view import RunView

_TEMPLATES: Final = Path(__file__).with_name("templates")
_TEMPLATE: Final = "paper.tex.jinja"
# Of a table of settings, in widths of the text: the points, and two or three other columns.
_WIDTHS: Final = {2: (0.28, 0.33, 0.35), 3: (0.18, 0.2, 0.26, 0.3)}
_GAP: Final = r"@{\hspace{.02\linewidth}}"


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
        "uncapitalized": inline,
        "capitalized": lambda text: text[:1].upper() + text[1:] if text[1:2].islower() else text,
        "counted": counted,
        "sentence": lambda text: text if text.endswith(".") else f"{text}.",
    }
    return environment.get_template(_TEMPLATE).render(**shown, settings=settings_table)


def _tex(text: str) -> str:
    """Return text for LaTeX; words in the backquotes of Markdown become typewriter text."""
    parts = text.replace("**", "").split("`")
    return "".join(
        rf"\texttt{{{escape(part)}}}" if index % 2 else escape(part)
        for index, part in enumerate(parts)
    )


def settings_table(caption: str, name: str, parts: Parts, columns: Mapping[str, str]) -> str:
    """Return a table that pages may break, each with its heads; a row of its own has each part.

    `columns` has their titles by the fields of a departure. That of the points is first.
    """
    titles = ["", *columns.values()]
    widths = [f"W{{{width}}}" for width in _WIDTHS[len(columns)]]
    across = rf"\multicolumn{{{len(titles)}}}{{@{{}}l@{{}}}}"
    heads = rf"\toprule {_cells(titles, bold=True)}\midrule"
    lines = [
        r"{\settingsroom",
        rf"\begin{{longtable}}{{@{{}}{_GAP.join(widths)}@{{}}}}",
        rf"\caption{{{_tex(caption)}}}\label{{tab:{name}}}\\ {heads}\endfirsthead",
        rf"{across}{{\small\textbf{{Table~\ref{{tab:{name}}}}}, continued.\strut}}\\",
        rf"{heads}\endhead \bottomrule\endfoot",
    ]
    for index, (part, rows) in enumerate(parts):
        lines += [r"\addlinespace"] if index else []
        lines.append(rf"{across}{{\bfseries {_tex(part)}}}\\*")
        lines += [_cells([one.point, *(getattr(one, key) for key in columns)]) for one in rows]
    return "\n".join([*lines, r"\end{longtable}\par}"])


def _cells(texts: Sequence[str], *, bold: bool = False) -> str:
    style = r"\bfseries " if bold else ""
    return " & ".join(f"{style}{_tex(text)}" for text in texts) + r" \\"
