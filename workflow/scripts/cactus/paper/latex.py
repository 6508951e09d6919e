"""LaTeX text: escaping, the frame of a booktabs table, and a document of all tables."""

from collections.abc import Sequence
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
_PACKAGES: Final = (r"\usepackage{booktabs}", r"\usepackage{graphicx}")
_TO_INPUT: Final = (
    "To \\input this file, your document needs before \\begin{document}:",
    *_PACKAGES,
)
_TRANSLATION: Final = str.maketrans(_SPECIAL)


def escape(text: str) -> str:
    """Return `text` with LaTeX's special characters and dashes escaped.

    A straight double quote becomes a closing quote, because the default font encoding has no
    straight one.
    """
    return text.translate(_TRANSLATION).replace("--", "-{}-")


def table(
    *,
    columns: str,
    head: Sequence[str],
    body: Sequence[str],
    caption: str,
    label: str,
    notes: Sequence[str],
) -> str:
    """Return a floating booktabs table that is scaled down to the line width if it is wider.

    Parameters
    ----------
    columns
        The column specification of the tabular.
    head, body
        Lines of the tabular above and below the middle rule.
    caption, label
        LaTeX text of the caption, and the label for references.
    notes
        Sentences to print below the table.
    """
    return "\n".join(
        [
            *(f"% {line}" for line in _TO_INPUT),
            r"\begin{table}[htbp]",
            r"\centering\footnotesize",
            rf"\caption{{{caption}}}\label{{{label}}}",
            r"\smallskip",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
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
            r"\end{table}",
            "",
        ]
    )


def document(table_names: Sequence[str]) -> str:
    """Return a standalone document of the named tables in its folder, one per page.

    It needs only LaTeX's recommended packages (booktabs, geometry, graphicx).
    """
    pages = [rf"\input{{{name}}}" + "\n" + r"\clearpage" for name in table_names]
    return "\n".join(
        [
            r"\documentclass[a4paper,landscape]{article}",
            *_PACKAGES,
            r"\usepackage[margin=15mm]{geometry}",
            r"\pagestyle{empty}",
            r"\begin{document}",
            *pages,
            r"\end{document}",
            "",
        ]
    )
