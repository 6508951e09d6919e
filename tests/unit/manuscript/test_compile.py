"""LaTeX: what is missing is said before any work, a PDF has the same bytes each time."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cactus.errors import CodeError, ResourceError
from cactus.manuscript import latex
from cactus.manuscript.departures import Departure
from cactus.manuscript.latex import check_latex, compile_pdf
from cactus.manuscript.write import settings_table

MOMENT = 1_700_000_000
COLUMNS = {"original": "Original", "here": "Here"}


def needs_latexmk() -> None:
    if shutil.which("latexmk") is None:
        if os.environ.get("CACTUS_REQUIRE_LATEX"):
            pytest.fail("CACTUS_REQUIRE_LATEX is set, but latexmk is not installed")
        pytest.skip("latexmk is not installed")


def write(folder: Path, body: str) -> Path:
    folder.mkdir()
    path = folder / "paper.tex"
    head = "\\documentclass{article}\\pdftrailerid{}\\pdfsuppressptexinfo=-1\n"
    path.write_text(f"{head}\\begin{{document}}{body}\\end{{document}}\n", encoding="utf-8")
    return path


def test_missing_programs_are_named_with_what_to_install(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ResourceError) as caught:
        check_latex()
    assert caught.value.got == "no latexmk, pdflatex, kpsewhich"
    assert "apt install latexmk" in caught.value.fix


def test_a_missing_package_is_named(monkeypatch, tmp_path: Path):
    for name in ("latexmk", "pdflatex", "kpsewhich"):
        program = tmp_path / name
        found = [f"/tex/{one}.sty" for one in ("booktabs", "fancyhdr", "hyperref")]
        program.write_text(f"#!/bin/sh\nprintf '%s\\n' {' '.join(found)}\n", encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ResourceError) as caught:
        check_latex()
    assert caught.value.got == "no siunitx.sty"


@pytest.mark.latex
def test_the_pdf_has_the_same_bytes_in_any_folder_and_leaves_nothing_behind(tmp_path: Path):
    needs_latexmk()
    made = []
    for name in ("one", "another folder"):
        source = write(tmp_path / name, r"Twice: \ref{a}\label{a}")
        compile_pdf(source, tmp_path / name / "paper.pdf", MOMENT)
        made.append((tmp_path / name / "paper.pdf").read_bytes())
        assert {one.name for one in source.parent.iterdir()} == {"paper.tex", "paper.pdf"}
    assert made[0] == made[1]
    assert made[0].startswith(b"%PDF")


@pytest.mark.latex
def test_an_error_of_latex_is_told_with_its_line_and_leaves_no_pdf(tmp_path: Path):
    needs_latexmk()
    source = write(tmp_path / "bad", "\n\n\\nosuchmacro")
    with pytest.raises(CodeError) as caught:
        compile_pdf(source, tmp_path / "bad/paper.pdf", MOMENT)
    assert "Undefined control sequence" in caught.value.got
    assert "l.4" in caught.value.got
    assert not (tmp_path / "bad/paper.pdf").exists()


@pytest.mark.latex
def test_each_page_of_a_long_table_has_its_heads_and_no_part_without_a_row(tmp_path: Path):
    needs_latexmk()
    template = (Path(latex.__file__).parent / "templates/paper.tex.jinja").read_text()
    start, end = template.index("% A table that pages break"), template.index("% End of the table")
    row = Departure("row of", "two long lines " * 3, "", "")
    made = [
        rf"\clearpage\begin{{minipage}}[t][{height}pt]{{1pt}}x\end{{minipage}}\par"
        + settings_table("Caption", f"t{height}", [("Part", [row] * 3)] * 12, COLUMNS)
        for height in range(200, 560, 12)
    ]
    packages = r"\usepackage{array,booktabs,longtable}\makeatletter"
    body = f"{packages}{template[start:end]}\\begin{{document}}{''.join(made)}"
    source = write(tmp_path / "long", "")
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace(r"\begin{document}", body), encoding="utf-8")
    compile_pdf(source, tmp_path / "long/paper.pdf", MOMENT)
    command = ["pdftotext", "-layout", str(tmp_path / "long/paper.pdf"), "-"]
    pages = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\f")
    found = [[line.split()[0] for line in page.splitlines() if line.strip()] for page in pages]
    with_rows = [page for page in found if "row" in page]
    assert len(with_rows) >= 2 * len(made)
    captions = [line for page in pages for line in page.splitlines() if "Table" in line]
    assert sum("Caption" in line for line in captions) == len(made)
    assert sum("continued" in line for line in captions) == len(with_rows) - len(made)
    for page in with_rows:
        first = page.index("Table")
        assert page[first + 1] == "Original", page
        assert page[first + 2] in {"Part", "row"}, page
        for place, word in enumerate(page):
            assert word != "Part" or page[place + 1] == "row", page
    assert sum(page.count("Part") for page in found) == 12 * len(made)
