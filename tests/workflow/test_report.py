"""The report of a run: made after the audit, whole, traceable, and of Snakemake, too."""

import json
import os
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from zipfile import ZipFile

import pytest

from cactus.provenance.audit.reading.html import numbers_in_page
from tests.report.browser import browser
from tests.workflow.project import CONFIG, Project

pytestmark = pytest.mark.workflow


class Links(HTMLParser):
    """Collects what a page leads to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, _tag, attrs):
        self.found += [value for name, value in attrs if name in ("href", "src")]


def test_the_report_comes_with_all_and_states_the_verdict_of_the_audit(finished: Project):
    page = (finished.run / "report.html").read_text(encoding="utf-8")
    verdict = json.loads((finished.run / "audit.json").read_text())
    assert f"{verdict['numbers']} printed numbers" in page
    assert "All agree" in page
    assert "Synthetic data, not the real data set" in page
    entries = json.loads((finished.run / "report.map.json").read_text())["cells"]
    assert numbers_in_page(finished.run / "report.html") == [one["printed"] for one in entries]
    code, output = finished.cactus("audit", "small")
    assert code == 0, output
    assert f"{verdict['numbers'] + len(entries)} printed numbers" in output
    assert f"Digest of the run: <code>{verdict['digest']}</code>" in page
    assert f"digest of the run: {verdict['digest']}" in output


def test_every_link_of_the_report_leads_to_a_file_of_the_run(finished: Project):
    page = finished.run / "report.html"
    links = [one for one in Links(page).found if not one.startswith(("#", "data:"))]
    for folder in ("records", "logs", "models", "figures", "tables"):
        assert any(one.startswith(f"{folder}/") for one in links), folder
    assert all((finished.run / unquote(one)).is_file() for one in links)


@pytest.mark.parametrize(
    ("row", "column", "told"),
    [
        ("Omniglot ACAI CACTUs-MAML", "5w1s", "= mean over the episodes"),
        ("Omniglot ACAI CACTUs-MAML", "5w1s difference", "= our mean minus the paper's"),
        ("Omniglot ACAI CACTUs-MAML", "5w1s verdict", "= whether the interval"),
        ("Omniglot ACAI CACTUs-MAML", "5w1s minus kNN", "= mean over the episodes of the diff"),
        ("MNIST ACAI CACTUs-ProtoNets seed 1", "10w1s", "evaluate_model/mnist/acai/protonets/s1"),
        ("Omniglot ACAI MAML partitions", "ARI", "= mean over the partitions of ari"),
    ],
)
def test_numbers_of_the_report_are_traced(finished: Project, row: str, column: str, told: str):
    arguments = ("--row", row, "--col", column)
    code, output = finished.cactus("trace", "results/small/report.html", *arguments)
    assert code == 0, output
    assert told in output
    assert "make_report" in output


@pytest.mark.browser
def test_a_browser_shows_the_report_without_a_request_or_complaint(finished: Project):
    with browser() as opened:
        opened.open(finished.run / "report.html", "#cell/omniglot/acai/maml/s0")
        assert opened.run("document.querySelector('details[open] .curve polyline') !== null")
        assert opened.run("[...document.images].every(one => one.src.startsWith('data:'))")
        opened.run("document.querySelectorAll('details').forEach(one => one.open = true)")
        broken = "[...document.images].map(one => one.decode().then(() => 0, () => 1))"
        assert sum(opened.run(f"Promise.all({broken})")) == 0
        asked = [one for one in opened.requests if not one.startswith("data:")]
        assert [one.partition("#")[0] for one in asked] == [
            (finished.run / "report.html").absolute().as_uri()
        ]
        assert opened.complaints == []


def test_an_edited_template_makes_the_report_alone_stale(project: Project):
    style = project.scripts / "cactus/report/templates/style.css"
    style.write_text(style.read_text() + "p { color: red; }\n")
    assert project.stale_jobs() == {"make_report"}


def test_the_report_of_a_finished_run_is_shown_and_not_made_again(finished: Project):
    code, output = finished.cactus("report", "small")
    assert (code, "results/small/report.html" in output.splitlines()[-1]) == (0, True), output
    assert not (finished.folder / "small-now.html").exists()


def test_the_page_of_an_unfinished_run_lists_what_is_missing(project: Project, tmp_path: Path):
    shutil.rmtree(project.run / "evaluations/omniglot/acai/maml")
    page = tmp_path / "now.html"
    code, output = project.cactus("report", "small", "--output", str(page))
    assert (code, "1 cell of 7 not fresh: 1 stale" in output) == (1, True), output
    text = page.read_text(encoding="utf-8")
    assert "This run is not finished" in text
    assert "omniglot/acai/maml/s0" in text
    assert "has not been audited" in text
    links = [one for one in Links(page).found if not one.startswith(("#", "data:"))]
    assert links
    assert all((tmp_path / unquote(one)).is_file() for one in links)
    own = str(project.run / "report.html")
    code, output = project.cactus("report", "small", "--output", own)
    assert "made by the workflow" in output
    assert code not in (0, 1)
    os.mkfifo(tmp_path / "pipe")
    places = (".", "config", "Snakefile/now.html", "config/demo.yaml", str(tmp_path / "pipe"))
    for place in (*places, "results/small/tables/omniglot.tex", "results/small/now.html"):
        code, output = project.cactus("report", "small", "--output", place)
        assert "The report cannot be written there" in output
        assert code not in (0, 1)


def test_snakemakes_own_report_shows_figures_tables_and_captions(project: Project, tmp_path: Path):
    archive = tmp_path / "out.zip"
    project.snakemake("--report", str(archive), config=CONFIG)
    with ZipFile(archive) as content:
        names = {Path(name).name for name in content.namelist()}
        page = content.read("out/report.html").decode()
    assert {"accuracy_grid.png", "tasks-omniglot.png", "omniglot.tex", "results.csv"} <= names
    assert "a row of images per class" in page
    assert "Holm" in page
    assert "Omniglot" in page
