"""The paper of a run: made on request, its numbers are those of the results, audited and traced."""

import csv
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.workflow.project import Project
from tests.workflow.scratch import Scratch
from tests.workflow.tamper import edit, flip, forge

pytestmark = [pytest.mark.workflow, pytest.mark.latex]
FILES = ("paper.pdf", "paper/paper.tex", "paper/numbers.tex", "paper/numbers.tex.map.json")


@pytest.fixture(autouse=True, scope="module")
def _needs_latex():
    for name in ("latexmk", "pdftotext"):
        if shutil.which(name) is None:
            if os.environ.get("CACTUS_REQUIRE_LATEX"):
                pytest.fail(f"CACTUS_REQUIRE_LATEX is set, but {name} is not installed")
            pytest.skip(f"{name} is not installed")


@pytest.fixture(scope="module")
def with_paper(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the finished run with its paper, which tests leave as it is."""
    project = finished.copy(tmp_path_factory.mktemp("paper") / "project")
    code, output = project.cactus("paper", "small")
    assert code == 0, output
    assert output.splitlines()[-1] == "results/small/paper.pdf"
    return project


def text_of(pdf: Path) -> str:
    """Return the text of a PDF with single spaces."""
    command = ["pdftotext", "-layout", str(pdf), "-"]
    return " ".join(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    )


def accuracies(project: Project) -> dict[str, str]:
    """Return our accuracies as the paper prints them, by data set and setting."""
    with (project.run / "tables/results.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["seed"] == "all"]
    return {
        f"{row['dataset']}/{row['source']}/{row['method']}/{row['way']}-way {row['shot']}-shot":
        f"{100 * float(row['mean']):.2f} ± {100 * float(row['ci95']):.2f}"
        for row in rows
    }  # fmt: skip


def test_the_numbers_of_the_pdf_are_those_of_the_results(with_paper: Project):
    text, numbers = text_of(with_paper.run / "paper.pdf"), accuracies(with_paper)
    sentences = re.findall(
        r"(\d+-way \d+-shot)\. Of all methods without labels, .+? is best, with (\S+ ± \S+) %", text
    )
    best: dict[tuple[str, str], str] = {}  # of each data set and setting, in the text's order
    for key, value in numbers.items():
        dataset, _, method, setting = key.split("/")
        if method == "scratch" or method.startswith("oracle-"):
            continue
        other = best.get((dataset, setting), "0")
        best[dataset, setting] = max(other, value, key=lambda text: float(text.split()[0]))
    assert sentences == [(setting, value) for (_, setting), value in best.items()]
    for value in numbers.values():  # in the tables
        assert value in text
    assert "Synthetic data, not the real data set" in text
    assert "Departures from the original" in text


def test_no_page_is_nearly_empty(with_paper: Project, tmp_path):
    pdf = with_paper.run / "paper.pdf"
    subprocess.run(["pdftoppm", "-r", "20", "-gray", str(pdf), str(tmp_path / "page")], check=True)
    *pages, _last = sorted(tmp_path.iterdir())
    for page in pages:
        image = np.asarray(Image.open(page))
        body = image[: int(0.94 * len(image))]  # above the foot
        dark = np.flatnonzero((body < 200).any(1))  # small text is gray at this resolution
        assert dark.max() > 0.8 * len(image), page.name
        assert np.diff(dark).max() < 0.15 * len(image), page.name


def test_every_table_and_figure_has_a_caption_and_a_place_in_the_text(with_paper: Project):
    text = (with_paper.run / "paper/paper.tex").read_text(encoding="utf-8")
    for path in (with_paper.run / "tables").glob("*.tex"):
        text += path.read_text(encoding="utf-8") if rf"tables/{path.stem}}}" in text else ""
    labels = set(re.findall(r"\\label\{((?:tab|fig):[^}]*)\}", text))
    labels |= set(re.findall(r"\\settingscaption\{[^}]*\}\{(tab:[^}]*)\}", text))
    named = set(re.findall(r"\\ref\{((?:tab|fig):[^}]*)\}", text))
    assert len(labels) > 12
    assert {one for one in labels if one.startswith("tab")} <= named
    assert named <= labels
    kinds = {one.partition("-")[0] for one in labels if one.startswith("fig")}
    assert kinds == {one.partition("-")[0] for one in named if one.startswith("fig")}
    pdf = text_of(with_paper.run / "paper.pdf")
    tables = [int(one) for one in re.findall(r"Table (\d+)\. ", pdf)]
    figures = [int(one) for one in re.findall(r"Figure (\d+)\. ", pdf)]
    assert sorted({*tables}) == [*range(1, max(tables) + 1)]
    assert sorted({*figures}) == [*range(1, max(figures) + 1)]
    assert "??" not in pdf


def test_the_paper_has_no_table_of_what_the_paper_lacks(with_paper: Project):
    text = (with_paper.run / "paper/paper.tex").read_text(encoding="utf-8")
    assert "tables/mnist-verdicts" not in text
    assert "The paper's numbers for this data set are not at hand." in text
    assert "tables/omniglot-verdicts" in text
    pdf = text_of(with_paper.run / "paper.pdf")
    for name in ("cluster_matching", "per_dataset", "train_embedding", "outer_lr", "spatial_mean"):
        assert name not in pdf


def test_the_paper_has_the_same_bytes_with_and_without_a_report(with_paper: Project, tmp_path):
    one = with_paper.copy(tmp_path / "project")
    before = [(one.run / name).read_bytes() for name in FILES]
    for name in (*FILES, "report.html", "records/make_paper.json", "records/make_report.json"):
        (one.run / name).unlink()
    one.snakemake("--cores", "1", "paper")
    assert not (one.run / "report.html").exists()
    assert [(one.run / name).read_bytes() for name in FILES] == before


def test_the_foot_of_the_paper_has_commit_verdict_and_digest(with_paper: Project):
    code, output = with_paper.cactus("audit", "small")
    assert code == 0, output
    digest = output.splitlines()[-1].rpartition(" ")[2]
    text = text_of(with_paper.run / "paper.pdf")
    assert f"Digest of the run: {digest}" in text
    assert "audit: all agree" in text
    assert with_paper.cactus("audit", "small", "--expect", digest)[0] == 0


def test_no_one_who_did_not_ask_gets_a_paper_and_who_did_keeps_it_fresh(project: Project):
    assert not any((project.run / name).exists() for name in FILES)
    assert project.stale_jobs() == set()
    assert project.cactus("plan", "small")[1].endswith("nothing to do, all jobs are fresh\n")
    code, output = project.cactus("paper", "small")
    assert code == 0, output
    assert all((project.run / name).is_file() for name in FILES)
    assert project.stale_jobs() == set()
    made = (project.run / "paper.pdf").stat().st_mtime_ns
    assert project.cactus("paper", "small") == (0, "results/small/paper.pdf\n")
    assert (project.run / "paper.pdf").stat().st_mtime_ns == made
    template = project.scripts / "cactus/manuscript/templates/paper.tex.jinja"
    template.write_text(template.read_text().replace("would give.", "would give, we think."))
    assert project.stale_jobs() == {"make_paper"}
    assert "make_paper" in project.cactus("plan", "small")[1]
    project.snakemake("--cores", "1")
    assert project.stale_jobs() == set()
    assert "would give, we think." in text_of(project.run / "paper.pdf")


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


def test_a_paper_reads_its_own_numbers_whatever_path_latex_has(with_paper: Project, tmp_path: Path):
    other = with_paper.copy(tmp_path / "project")
    (tmp_path / "else").mkdir()
    (tmp_path / "else/numbers.tex").write_text(r"\newcommand{\ours}[1]{99.99}")
    for name in FILES:
        (other.run / name).unlink()
    other.environment = {"TEXINPUTS": f"{tmp_path / 'else'}:"}
    code, output = other.cactus("paper", "small")
    assert code == 0, output
    assert (other.run / "paper.pdf").read_bytes() == (with_paper.run / "paper.pdf").read_bytes()


def test_a_number_of_the_paper_is_traced(with_paper: Project):
    words = ("--row", "Omniglot ACAI CACTUs-MAML", "--col", "5w1s")
    code, output = with_paper.cactus("trace", "results/small/paper.pdf", *words)
    assert code == 0, output
    assert "make_paper" in output
    assert "evaluate_model/omniglot/acai/maml/s0" in output


def test_an_unfinished_run_has_no_paper_and_says_what_is_missing(project: Project):
    shutil.rmtree(project.run / "evaluations/omniglot/acai/maml")
    code, output = project.cactus("paper", "small")
    assert code not in (0, 1)
    assert "needs the whole run" in output
    assert "evaluate_model/omniglot/acai/maml/s0" in output


def test_a_copy_of_the_paper_compiles_elsewhere(with_paper: Project, tmp_path: Path):
    for name in ("paper", "tables", "figures"):
        shutil.copytree(with_paper.run / name, tmp_path / name)
    command = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path / "paper", capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "paper/paper.log").read_text(errors="replace")
    assert "undefined" not in log
    assert "Overfull \\hbox" not in log
