r"""The numbers of a paper, as LaTeX macros: ``numbers.tex``, which other documents can use too.

After ``\input{numbers}``, ``\ours{omniglot/acai/cactus-maml/5w1s}`` prints an accuracy in percent
with half its interval, ``\published{...}`` the paper's, and ``\fact{jobs}`` a fact of the run.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cactus.paper.cells import TableCell, map_entry, our_cell, paper_cell
from cactus.paper.latex import escape
from cactus.paper.results import averaged_over_seeds
from cactus.paper.vocabulary import setting_title
from cactus.report.view import RunView, rows_of

_MACROS: Final = r"""\makeatletter
\newcommand{\cactusnumber}[3]{\expandafter\def\csname cactus@#1@#2\endcsname{\ensuremath{#3}}}
\newcommand{\cactusfact}[2]{\expandafter\def\csname cactus@fact@#1\endcsname{#2}}
\newcommand{\cactus@print}[2]{\ifcsname cactus@#1@#2\endcsname\csname cactus@#1@#2\endcsname
  \else\PackageError{numbers}{The run has no #1 #2}{numbers.tex lists all.}\fi}
\newcommand{\ours}[1]{\cactus@print{ours}{#1}}
\newcommand{\published}[1]{\cactus@print{published}{#1}}
\newcommand{\fact}[1]{\cactus@print{fact}{#1}}
\makeatother"""
_SIDES: Final = {"ours": "ours", "paper": "published"}  # in maps, and as a macro


def number_key(row: Mapping[str, Any]) -> str:
    """Return the name of an accuracy, e.g. ``omniglot/acai/cactus-maml/5w1s``."""
    return f"{row['dataset']}/{row['source']}/{row['method']}/{row['way']}w{row['shot']}s"


def numbers_file(view: RunView, facts: Mapping[str, str]) -> tuple[str, list[dict[str, Any]]]:
    """Return the text of ``numbers.tex``, and the map entries of its accuracies in order.

    Parameters
    ----------
    facts
        Facts of the run by name, as plain text.
    """
    lines, entries = [], []
    for side, key, cell, entry in _accuracies(view):
        value = cell.printed.replace(" ± ", r" \pm ")
        lines.append(rf"\cactusnumber{{{_SIDES[side]}}}{{{key}}}{{{value}}}")
        entries.append(entry)
    told = [rf"\cactusfact{{{name}}}{{{escape(text)}}}" for name, text in facts.items()]
    title = "% Accuracies in percent, with half the 95 % interval, and facts of the run."
    return "\n".join([title, _MACROS, *lines, *told, ""]), entries


def _accuracies(view: RunView) -> Iterator[tuple[str, str, TableCell, dict[str, Any]]]:
    """Yield side, name, cell and map entry of each accuracy, of ours and of the paper."""
    for row in rows_of(averaged_over_seeds(view.results)):
        title = view.row_title(row["dataset"], row["source"], row["method"])
        position = title, setting_title(row["way"], row["shot"])
        ours = our_cell(row, view.decimals, bold=False)
        for side, cell in (("ours", ours), ("paper", paper_cell(row, view.decimals))):
            if cell.printed:
                entry = map_entry(cell, row, side, position, view.decimals)
                yield side, number_key(row), cell, entry
