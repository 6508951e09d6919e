"""Calls LaTeX: whether it is there, and a document to PDF."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from cactus.errors import CodeError, ResourceError
from cactus.files import write_text

_PACKAGES: Final = ("booktabs.sty", "fancyhdr.sty", "hyperref.sty", "siunitx.sty")
_DEBIAN: Final = "latexmk texlive-latex-recommended texlive-science"
_LONGEST: Final = 600  # seconds


def check_latex() -> None:
    """Check that this computer can make a PDF of a paper.

    Raises
    ------
    ResourceError
        A program or a package of LaTeX is missing.
    """
    missing = [name for name in ("latexmk", "pdflatex", "kpsewhich") if shutil.which(name) is None]
    if not missing:
        command = ["kpsewhich", *_PACKAGES]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        names = {Path(line).name for line in found.splitlines()}
        missing = [name for name in _PACKAGES if name not in names]
    if missing:
        raise ResourceError(
            "A paper needs LaTeX, of which a part is missing.",
            where="this computer",
            got=f"no {', '.join(missing)}",
            fix=f"install it (Debian, Ubuntu: apt install {_DEBIAN}), or name other targets; "
            "`all` makes the paper only where it was made before",
        )


def compile_pdf(source: Path, pdf: Path, moment: int) -> None:
    """Compile a LaTeX document to a PDF that depends on its text and the moment alone.

    Parameters
    ----------
    source
        The ``.tex`` file; files that it names are relative to its folder.
    pdf
        The file to write.
    moment
        What the PDF gives as its time, in seconds since 1970.

    Raises
    ------
    ResourceError
        LaTeX is missing.
    CodeError
        LaTeX cannot compile the document, or does not end.
    """
    check_latex()
    with tempfile.TemporaryDirectory(prefix="cactus-paper-") as folder:
        options = ["-pdf", "-norc", "-interaction=nonstopmode", "-halt-on-error"]
        command = ["latexmk", *options, "-no-shell-escape", f"-outdir={folder}", source.name]
        time = {"SOURCE_DATE_EPOCH": str(moment), "FORCE_SOURCE_DATE": "1"}
        try:
            done = subprocess.run(
                command,
                cwd=source.parent,
                env={**os.environ, **time, "max_print_line": "1000"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _failed(source, f"no end after {_LONGEST} s") from error
        made = Path(folder, source.with_suffix(".pdf").name)
        if done.returncode or not made.is_file():
            raise _failed(source, _cause(Path(folder, source.with_suffix(".log").name)))
        write_text(pdf, made.read_bytes())


def _failed(source: Path, got: str) -> CodeError:
    return CodeError(
        "LaTeX cannot compile the paper.",
        where=str(source),
        got=got,
        fix="correct the text that it names: a title of a data set, an embedding or a learner, "
        "or the template in cactus/manuscript/templates",
    )


def _cause(log: Path) -> str:
    """Return the first error of LaTeX's log and the line where it is."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    lines = text.splitlines()
    first = next((index for index, line in enumerate(lines) if line.startswith("!")), None)
    if first is None:
        return lines[-1] if lines else "no log"
    place = next((line for line in lines[first:] if line.startswith("l.")), "")
    return f"{lines[first]} {place}".strip()
