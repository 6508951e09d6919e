import os
import re
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest

from cactus.paper.latex import document, escape, table
from cactus.paper.tables.registry import write_table
from tests.unit.paper.conftest import Run
from tests.unit.paper.fake_run import SETTINGS

SPECIAL = r"100 % of $5 & #1_a ~ x^2 {y} \z <|> " + '"q" a--b'


def test_special_characters_are_escaped():
    assert escape("a_b & 5 % {#}") == r"a\_b \& 5 \% \{\#\}"
    assert escape("\\") == r"\textbackslash{}"
    assert escape("x^2~y") == r"x\textasciicircum{}2\textasciitilde{}y"
    assert escape("1--2---3") == "1-{}-2-{}--3"
    assert escape("CACTUs-MAML") == "CACTUs-MAML"


def test_no_special_character_is_left_unescaped():
    bare = re.sub(r"\\text[a-z]+\{\}|\\[{}$&%#_]|-\{\}", "", escape(SPECIAL))
    assert not set(bare) & set('\\{}$&%#_~^<>|"')


def test_a_table_has_booktabs_rules_in_order():
    text = table(
        columns="l", head=["HEAD"], body=["BODY"], caption="C", label="tab:x", notes=["NOTE"]
    )
    parts = [r"\begin{tabular}{l}", r"\toprule", "HEAD", r"\midrule", "BODY", r"\bottomrule",
             r"\end{tabular}", "NOTE", r"\end{table}"]  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.count("{") == text.count("}")


def pdflatex(folder: Path, name: str) -> str:
    """Compile a document and return its log; skip or fail without pdflatex."""
    program = shutil.which("pdflatex")
    if program is None:
        if os.environ.get("CACTUS_REQUIRE_LATEX"):
            pytest.fail("CACTUS_REQUIRE_LATEX is set, but pdflatex is not installed")
        pytest.skip("pdflatex is not installed")
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", name]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    return (folder / name).with_suffix(".log").read_text(errors="replace")


@pytest.mark.latex
def test_the_full_grid_compiles_and_fits_the_pages(grid_run: Run, tmp_path: Path):
    names = []
    for dataset, kind in product(SETTINGS, ("accuracies", "verdicts", "tests")):
        names.append(f"{dataset}-{kind}")
        path = tmp_path / f"{names[-1]}.tex"
        write_table(kind, grid_run.results, dataset, path, 2, "grid")
    (tmp_path / "tables.tex").write_text(document(names))
    log = pdflatex(tmp_path, "tables.tex")
    assert "Output written on tables.pdf (12 pages" in log
    assert "Overfull" not in log
    assert "Float too large" not in log


@pytest.mark.latex
def test_special_characters_compile(tmp_path: Path):
    special = escape(SPECIAL)
    text = table(
        columns="l",
        head=[r"h \\"],
        body=[special + r" \\"],
        caption=special,
        label="x",
        notes=[special],
    )
    (tmp_path / "special.tex").write_text(text)
    (tmp_path / "all.tex").write_text(document(["special"]))
    assert "(1 page" in pdflatex(tmp_path, "all.tex")


@pytest.mark.latex
def test_a_paper_that_follows_a_tables_first_lines_shows_the_tables_of_two_runs(
    grid_run: Run, tmp_path: Path
):
    for run in ("first", "second"):
        write_table("accuracies", grid_run.results, "omniglot", tmp_path / f"{run}.tex", 2, run)
    preamble = re.findall(r"^% (\\usepackage.*)$", (tmp_path / "first.tex").read_text(), re.M)
    shown = r"\input{first}\input{second} \ref{tab:first-omniglot} \ref{tab:second-omniglot}"
    parts = [r"\documentclass{article}", *preamble, r"\begin{document}", shown, r"\end{document}"]
    (tmp_path / "paper.tex").write_text("\n".join(parts))
    pdflatex(tmp_path, "paper.tex")
    log = pdflatex(tmp_path, "paper.tex")
    assert "multiply" not in log
    assert "undefined" not in log
