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


def test_greek_letters_and_signs_are_mathematics():
    assert (
        escape("β-VAE, Ω ≤ 1") == r"\ensuremath{\beta}-VAE, \ensuremath{\Omega} \ensuremath{\leq} 1"
    )
    assert escape("Αο é") == "Ao é"  # noqa: RUF001
    letters = [
        chr(one) for one in (*range(0x391, 0x3A2), *range(0x3A3, 0x3AA), *range(0x3B1, 0x3CA))
    ]
    assert all(escape(one).isascii() for one in letters)


@pytest.mark.parametrize("name", ["[50] more", "*more"])
def test_a_name_at_the_start_of_a_row_is_no_argument_of_the_last_rows_end(name: str):
    r"""LaTeX takes ``\\ [50]`` and ``\\ *`` for one command, and prints neither."""
    assert escape(name) == "{}" + name
    assert escape(f"A {name}") == f"A {name}"


def test_no_special_character_is_left_unescaped():
    bare = re.sub(r"\\text[a-z]+\{\}|\\[{}$&%#_]|-\{\}", "", escape(SPECIAL))
    assert not set(bare) & set('\\{}$&%#_~^<>|"')


def test_a_table_has_booktabs_rules_in_order():
    text = table(
        labels=1, head=["HEAD"], body=[r"BODY \\"], caption="C", label="tab:x", notes=["NOTE"]
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
    # The tests of ablations are a page of their own, but on CelebA, which has one setting.
    assert "Output written on tables.pdf (15 pages" in log
    assert "Overfull" not in log
    assert "Float too large" not in log


@pytest.mark.latex
def test_special_characters_compile(tmp_path: Path):
    special = escape(f"{SPECIAL} β-Ω ≤")
    text = table(
        labels=1,
        head=[r"h \\"],
        body=[special + r" \\"],
        caption=special,
        label="x",
        notes=[special],
    )
    (tmp_path / "special.tex").write_text(text)
    (tmp_path / "all.tex").write_text(document(["special"]))
    assert "(1 page" in pdflatex(tmp_path, "all.tex")


def test_a_column_of_numbers_is_as_wide_as_its_widest_parts():
    body = [
        r"A & 8.25 \pm 0.50 & {--} & +0.10 \pm 0.02 {\rlap{$^{*}$}} & above & 7 \\",
        r"\addlinespace",
        r"B & \bfseries 68.84 \pm 10.80 & {--} & -12.00 & below & {--} \\",
        r"\multicolumn{2}{l}{C} & 3.0 & {} & x & 12 \\",
    ]
    text = table(labels=1, head=[], body=body, caption="C", label="tab:x", notes=[])
    numbers = ["2.2(4)", "1.1", "+2.2(3)"]
    first, second, third = (f"S[table-format={one}]" for one in numbers)
    assert rf"\begin{{tabular}}{{l{first}{second}{third}lS[table-format=2.0]}}" in text


@pytest.mark.latex
@pytest.mark.parametrize(
    "document_class",
    [r"{article}", "[twocolumn]{article}", "{IEEEtran}"],
)
def test_a_paper_that_follows_a_tables_first_lines_shows_the_tables_of_two_runs(
    seeds_run: Run, tmp_path: Path, document_class: str
):
    names = [
        f"{run}-{kind}"
        for run in ("first", "second")
        for kind in ("accuracies", "verdicts", "tests")
    ]
    for name in names:
        run, kind = name.split("-")
        write_table(kind, seeds_run.results, "omniglot", tmp_path / f"{name}.tex", 2, run)
    quality = tmp_path / "quality.tex"
    write_table("partition_quality", seeds_run.results, None, quality, 2, "first")
    preamble = re.findall(r"^% (\\usepackage.*)$", quality.read_text(), re.M)
    shown = [rf"\input{{{name}}}" for name in [*names, "quality"]]
    references = r"\ref{tab:first-omniglot} \ref{tab:second-omniglot-tests}"
    parts = [
        rf"\documentclass{document_class}",
        *preamble,
        r"\usepackage[english]{babel}",
        *(rf"\useshorthands*{{{one}}}\defineshorthand{{{one}}}{{\string{one}}}" for one in ":;"),
        r"\begin{document}\tableofcontents\listoftables",
        *shown,
        references,
        r"\end{document}",
    ]
    (tmp_path / "paper.tex").write_text("\n".join(parts))
    pdflatex(tmp_path, "paper.tex")
    log = pdflatex(tmp_path, "paper.tex")
    for fault in ("multiply", "undefined", "Overfull", "Float too large"):
        assert fault not in log
