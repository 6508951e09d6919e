"""Who edits a paper, or forges it and its record, is found, and the fix writes the true one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.paper.made import FILES
from tests.workflow.project import Project
from tests.workflow.scratch import Scratch
from tests.workflow.tamper import edit, flip, forge

pytestmark = [pytest.mark.workflow, pytest.mark.latex]


@pytest.mark.parametrize(
    ("name", "old", "new", "kind"),
    [
        ("paper.pdf", b"%PDF", b"%pdf", "output changed"),
        ("paper/paper.tex", b"Results", b"results", "output changed"),
        ("paper/numbers.tex", rb" \pm ", rb" \pm 1", "text differs"),
        ("paper/numbers.tex.map.json", b'"decimals": 2', b'"decimals": 3', "number differs"),
    ],
)
def test_an_edit_of_the_paper_is_found(with_paper: Project, name, old, new, kind):
    path = with_paper.run / name
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    code, output = with_paper.cactus("audit", "small")
    path.write_bytes(content)
    assert code == 1
    assert f"{kind}: " in output
    assert "paper" in output


@pytest.fixture(scope="module")
def copied_paper(with_paper: Project, tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    return Scratch(with_paper, tmp_path_factory.mktemp("forged") / "project")


@pytest.fixture
def scratch(copied_paper: Scratch) -> Iterator[Scratch]:
    yield copied_paper
    copied_paper.restore()


NUMBERS, TEXT = "paper/numbers.tex", "paper/paper.tex"
FORGERIES = {
    "every accuracy": (NUMBERS, r"\\ensuremath\{#3\}", r"\\ensuremath{9#3}"),
    "ours as another macro": (NUMBERS, r"(\\newcommand\{)\\ours(\}\[1\]\{.*)", r"\1\\mine\2"),
    "a macro once more": (NUMBERS, r"\Z", r"\\expandafter\\def\\csname x\\endcsname{99.90}"),
    "a fact": (NUMBERS, r"(\\cactusfact\{\w+\}\{)\d", r"\g<1>99"),
    "a number typed in the text": (TEXT, r"\\ours\{[^}]+\}", r"$92.90 \\pm 3.17$"),
    "a word of the text": (TEXT, r"Departures", "Agreements"),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_and_sealed_text_is_found_by_making_it_anew(scratch: Scratch, what: str):
    edit(*FORGERIES[what])(scratch.run)
    forge("make_paper")(scratch.run)
    findings = scratch.audit().findings
    assert {(one.kind, one.file) for one, _, _ in findings} == {
        ("text differs", FORGERIES[what][0])
    }


def test_a_forged_pdf_is_found_by_making_it_anew(scratch: Scratch):
    flip("paper.pdf")(scratch.run)
    forge("make_paper")(scratch.run)
    assert scratch.audit().findings == ()  # it takes a while; docs/audit.md says so
    code, output = scratch.project.cactus("audit", "small", "--figures")
    assert code == 1
    assert "text differs: paper.pdf" in output


def test_an_audit_without_latex_says_that_the_pdf_was_not_made_again(
    scratch: Scratch, tmp_path: Path
):
    bare = Project(scratch.project.folder, {"PATH": str(tmp_path)})
    code, output = bare.cactus("audit", "small", "--figures")
    assert code == 0, output
    assert "note: the paper's PDF was not made again: no latexmk, pdflatex, kpsewhich" in output


def test_a_forged_page_is_found_by_making_it_anew(scratch: Scratch):
    edit("report.html", "All agree", "All is well")(scratch.run)
    forge("make_report")(scratch.run)
    code, output = scratch.project.cactus("audit", "small", "--figures")
    assert code == 1
    assert "text differs: report.html" in output


@pytest.mark.parametrize("name", FILES)
def test_a_paper_without_a_record_is_found(scratch: Scratch, name: str):
    for other in {*FILES, "records/make_paper.json"} - {name}:
        (scratch.run / other).unlink()
    findings = scratch.audit().findings
    assert {one.job.name for one, _, _ in findings} == {"make_paper"}
    assert "record missing" in {one.kind for one, _, _ in findings}


@pytest.mark.slow
@pytest.mark.parametrize("sealed", [True, False])
def test_the_fix_of_a_forged_paper_writes_the_true_one(
    scratch: Scratch, with_paper: Project, sealed: bool
):
    edit(*FORGERIES["every accuracy"])(scratch.run)
    if sealed:
        forge("make_paper")(scratch.run)
    else:
        (scratch.run / "records/make_paper.json").unlink()
    code, output = scratch.project.cactus("audit", "small")
    assert code == 1
    scratch.project.mend(output)
    assert scratch.project.cactus("audit", "small")[0] == 0
    for name in FILES:
        assert (scratch.run / name).read_bytes() == (with_paper.run / name).read_bytes()
