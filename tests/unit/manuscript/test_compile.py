"""LaTeX: what is missing is said before any work, a PDF has the same bytes each time."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cactus.errors import CodeError, ResourceError
from cactus.manuscript import latex
from cactus.manuscript.latex import check_latex, compile_pdf

MOMENT = 1_700_000_000


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
def test_the_caption_and_head_of_a_long_table_stay_with_its_first_row(tmp_path: Path):
    needs_latexmk()
    template = (Path(latex.__file__).parent / "templates/paper.tex.jinja").read_text()
    start, end = template.index("% A table that pages break"), template.index("% End of the table")
    row = r"\settingsrow{\settingscell{.4}{row of\par two lines}}"
    head = r"\settingshead{\settingscell{.4}{Head}}"
    parts = [
        rf"\clearpage\begin{{minipage}}[t][{height}pt]{{1pt}}x\end{{minipage}}\par"
        rf"\settingscaption{{Caption}}{{t{height}}}{head}{row * 20}\penalty-100{head}{row * 20}"
        r"\settingsend"
        for height in range(200, 560, 12)
    ]
    body = rf"\makeatletter{template[start:end]}\begin{{document}}{''.join(parts)}"
    source = write(tmp_path / "long", "")
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace(r"\begin{document}", body), encoding="utf-8")
    compile_pdf(source, tmp_path / "long/paper.pdf", MOMENT)
    command = ["pdftotext", "-layout", str(tmp_path / "long/paper.pdf"), "-"]
    pages = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\f")
    found = [[line.split()[0] for line in page.splitlines() if line.strip()] for page in pages]
    captioned = [page for page in found if "Table" in page]
    assert len(captioned) == len(parts)
    for page in captioned:
        start = page.index("Table")
        assert page[start : start + 4] == ["Table", "Head", "row", "two"], page
    heads = [page for page in found if "Head" in page]
    assert all(page[page.index("Head") + 1] == "row" for page in heads)
    assert sum(page.count("Head") for page in found) == 2 * len(parts)
