"""The paper of a run: made on request, its numbers are those of the results, audited and traced."""

import csv
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.workflow.paper.made import FILES, text_of
from tests.workflow.project import Project

pytestmark = [pytest.mark.workflow, pytest.mark.latex]


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
        r"(\d+-way \d+-shot)\. "
        r"(?:Highest of all methods that learn from unlabeled images: [^.]+?,|[^.]+? reaches) "
        r"(\S+ ± \S+) %",
        text,
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
