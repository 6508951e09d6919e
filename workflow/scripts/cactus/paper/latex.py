"""LaTeX text: escaping, the frame of a booktabs table, and a document of all tables."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

_SPECIAL: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
}
PACKAGES: Final = tuple(rf"\usepackage{{{name}}}" for name in ("booktabs", "graphicx", "siunitx"))
_TO_INPUT: Final = (
    "To \\input this file, your document needs before \\begin{document} (siunitx 3, of 2021 on):",
    *PACKAGES,
)
_SETUP: Final = (
    r"\sisetup{separate-uncertainty=true, retain-explicit-plus=true, text-series-to-math=true,",
    r"  retain-zero-uncertainty=true, table-align-uncertainty=false, table-align-text-after=false}",
)
# Wider tables span both columns of a page that has two.
_COLUMNS_OF_ONE: Final = 5
_NUMBER: Final = re.compile(
    r"(?:\\bfseries )?([+-]?)(\d+)(?:\.(\d+))?(?: \\pm (\d+)(?:\.\d+)?)?(?: \{|$)"
)
_SPAN: Final = re.compile(r"\\multicolumn\{(\d+)\}")
# Letters and signs that LaTeX's text fonts lack, and names of methods have.
_GREEK: Final = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi o pi rho varsigma "
    "sigma tau upsilon varphi chi psi omega"
)
_CAPITALS: Final = (
    "A B Gamma Delta E Z H Theta I K Lambda M N Xi O Pi P _ Sigma T Upsilon Phi X Psi Omega"
)
_SIGNS: Final = {"≤": "leq", "≥": "geq", "≠": "neq", "≈": "approx", "∞": "infty", "→": "to"}
_IN_MATH: Final = {
    **{chr(0x3B1 + place): name for place, name in enumerate(_GREEK.split())},
    **{chr(0x391 + place): name for place, name in enumerate(_CAPITALS.split()) if name != "_"},
    **_SIGNS,
}
_TRANSLATION: Final = str.maketrans(
    {
        **_SPECIAL,
        **{
            one: rf"\ensuremath{{\{name}}}" if len(name) > 1 else name
            for one, name in _IN_MATH.items()
        },
    }
)


def escape(text: str) -> str:
    """Return `text` with LaTeX's special characters, dashes and Greek letters escaped.

    A straight double quote becomes a closing quote, because the default font encoding has no
    straight one. At the start of a row, a bracket or a star would belong to the end of the last.
    """
    start = "{}" if text.startswith(("[", "*")) else ""
    return start + text.translate(_TRANSLATION).replace("--", "-{}-")


def table(
    *,
    labels: int,
    head: Sequence[str],
    body: Sequence[str],
    caption: str,
    label: str,
    notes: Sequence[str],
) -> str:
    """Return a floating booktabs table that is scaled down to the line width if it is wider.

    Parameters
    ----------
    labels
        The number of columns of text at the left. Of the others, those with numbers are aligned at
        their decimal points by siunitx; text in them is in braces.
    head, body
        Lines of the tabular above and below the middle rule.
    caption, label
        LaTeX text of the caption, and the label for references.
    notes
        Sentences to print below the table.
    """
    columns = [*"l" * labels, *_column_types(body, labels)]
    name = "table*" if len(columns) > _COLUMNS_OF_ONE else "table"
    return "\n".join(
        [
            *(f"% {line}" for line in _TO_INPUT),
            rf"\begin{{{name}}}[htbp]",
            r"\centering\footnotesize",
            *([r"\setlength{\tabcolsep}{4pt}"] if name == "table*" else []),
            *_SETUP,
            rf"\caption{{{caption}}}\label{{{label}}}",
            r"\smallskip",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{''.join(columns)}}}",
            r"\toprule",
            *head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"}\par\smallskip",
            r"\begin{minipage}{\linewidth}\scriptsize",
            *notes,
            r"\end{minipage}",
            rf"\end{{{name}}}",
            "",
        ]
    )


def _column_types(body: Sequence[str], labels: int) -> Iterator[str]:
    """Yield the type of each column right of the labels: ``S`` of its widest number, or ``l``."""
    found: dict[int, list[tuple[str, ...]]] = defaultdict(list)
    width = labels
    for line in body:
        place = 0
        for cell in line.removesuffix(r" \\").split(" & ") if line.endswith(r"\\") else []:
            number, span = _NUMBER.match(cell), _SPAN.match(cell)
            if number:
                found[place].append(tuple(part or "" for part in number.groups()))
            place += int(span[1]) if span else 1
        width = max(width, place)
    for place in range(labels, width):
        yield _number_column(found[place]) if place in found else "l"


def _number_column(numbers: Sequence[tuple[str, ...]]) -> str:
    signs, whole, decimals, half = ([*map(len, part)] for part in zip(*numbers, strict=True))
    spread = f"({max(half) + max(decimals)})" if max(half) else ""
    return f"S[table-format={'+' * max(signs)}{max(whole)}.{max(decimals)}{spread}]"


def document(table_names: Sequence[str]) -> str:
    """Return a standalone document of the named tables in its folder, each on its own pages.

    It needs only LaTeX's recommended packages and those for science (booktabs, geometry, graphicx,
    siunitx).
    """
    pages = [rf"\input{{{name}}}" + "\n" + r"\clearpage" for name in table_names]
    return "\n".join(
        [
            r"\documentclass[a4paper,landscape]{article}",
            *PACKAGES,
            r"\usepackage[margin=15mm]{geometry}",
            r"\pagestyle{empty}",
            r"\begin{document}",
            *pages,
            r"\end{document}",
            "",
        ]
    )
