"""What the page of a run says, without a browser."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import html5rdf
import pandas as pd
import pytest

from cactus.config.load import parse_config
from cactus.config.printed.titles import Titles
from cactus.errors import DataError
from cactus.provenance.audit.reading.html import numbers_in_page
from cactus.provenance.records.run_reader import RunReader
from cactus.report.curves import read_curves
from cactus.report.figures import figures
from cactus.report.page import render
from cactus.report.pictures import embedded
from cactus.report.view import MissingCell, Numbers
from cactus.stages.base import RunWildcards
from cactus.stages.whole_run.make_report import REPORT
from tests.report.pages import AUDIT, Page, make_page
from tests.unit.paper.fake_run import FakeRun
from tests.workflow.project import ROOT

HOSTILE = """</script></style><img src=x onerror=alert(1)> "quoted" 'too' & ünï — {{ 7 * 7 }}"""


def tree(page: Page) -> Any:
    """Return the page's elements; any error of its HTML fails the test."""
    parser = html5rdf.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(page.file.read_text(encoding="utf-8"))


def texts(found: list[Any]) -> list[str]:
    return [" ".join("".join(one.itertext()).split()) for one in found]


def entries(page: Page) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(page.number_map.read_text())["cells"]
    return cells


def test_the_page_is_valid_html_and_every_link_leads_somewhere(page: Page):
    root = tree(page)
    places = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(places) == len(set(places))
    links = [one.get("href") for one in root.iter("a")]
    assert {one[1:] for one in links if one.startswith("#")} <= set(places)
    files = [one for one in links if not one.startswith("#")]
    assert files
    assert all((page.file.parent / one).is_file() for one in files)
    assert {one.get("src")[:11] for one in root.iter("img")} <= {"data:image/"}


def test_variants_are_beside_their_base_in_the_paired_tests(page: Page, small_page: Page):
    told = [" ".join("".join(tree(one).itertext()).split()) for one in (page, small_page)]
    assert ["Base: the same meta-learner on the source" in text for text in told] == [True, False]
    rows = page.view.paired
    based = rows[rows["method"] == rows["other_method"]]
    shown = [one for one in entries(page) if one["column"].endswith(", minus Base")]
    assert len(based) == len(shown) == 5 * 2  # settings of both data sets, learners
    assert {one["results_row"]["source"] for one in shown} == {"acai+p-1"}
    assert {one["against"]["source"] for one in shown} == {"acai"}
    numbers = {f"{round(100 * one.difference, 9):+.2f} ± {round(100 * one.ci95, 9):.2f}"
               for one in based.itertuples()}  # fmt: skip
    assert {one["printed"].removesuffix(" *") for one in shown} == numbers


def test_every_cell_and_setting_has_its_accuracy_in_a_table_and_in_its_entry(page: Page):
    root, rows = tree(page), page.view.results
    averaged = rows[rows["seed"] == "all"]
    shown = [
        one for one in root.iter("td") if one.get("data-value") and one.find("span") is not None
    ]
    assert len(averaged) <= len(shown)
    for seed in ("0", "1"):
        assert sum(entry["results_row"]["seed"] == seed for entry in entries(page)) == len(
            rows[(rows["seed"] == seed) & (rows["learner"] != "")]
        )
    anchors = {one.get("id") for one in root.iter("div")}
    cells = page.view.reader.config.expanded_grid.cells
    assert {f"cell/{cell.name}" for cell in cells} <= anchors


def test_the_audit_reads_what_the_map_says(page: Page):
    printed = [entry["printed"] for entry in entries(page)]
    assert numbers_in_page(page.file) == printed
    assert len(printed) > 300
    assert any(one.startswith("-") for one in printed)  # printed with a minus sign
    titles = [(entry["row"], entry["column"]) for entry in entries(page)]
    assert len(set(titles)) == len(titles)  # so that a trace finds each


@pytest.mark.parametrize("old", ['data-number="7"', 'data-number="0"'])
def test_an_index_that_is_missing_or_repeated_is_refused(page: Page, tmp_path: Path, old: str):
    edited = tmp_path / "report.html"
    edited.write_text(page.file.read_text().replace(old, 'data-number="8"'))
    with pytest.raises(ValueError, match="number"):
        numbers_in_page(edited)


def test_a_mixed_run_says_which_data_set_is_synthetic(page: Page):
    root = tree(page)
    heads = texts([one for one in root.iter("h3") if (one.get("id") or "").startswith("grid/")])
    assert [("synthetic" in one) for one in heads] == [one.startswith("CelebA") for one in heads]
    assert any("ynthetic" in one for one in texts(list(root.iter("p"))))


def test_a_run_of_one_cell_without_numbers_of_the_paper_has_a_page(tmp_path: Path):
    one = make_page(FakeRun(tmp_path / "one", embeddings=("infogan",), synthetic=()))
    root = tree(one)
    assert "seed 1" not in "".join(root.itertext())
    assert not [each for each in root.iter("p") if each.get("class") == "banner"]
    assert {entry["column"].partition(", ")[2] for entry in entries(one)} >= {"ours"}
    assert not [
        entry["column"]
        for entry in entries(one)
        if entry["column"].endswith(("paper", "difference", "verdict", "seed spread"))
    ]


def test_no_text_of_users_becomes_html_or_script(tmp_path: Path):
    spec = {"seed": 0, "settings": {"note": HOSTILE, HOSTILE: 1}, "empty": {}}
    finding = {"kind": HOSTILE, "file": HOSTILE, "got": HOSTILE}
    audit = {**AUDIT, "notes": [HOSTILE], "findings": [finding]}
    missing = (MissingCell(HOSTILE, "failed", HOSTILE),)
    titles = Titles(datasets={"omniglot": HOSTILE}, embeddings={"acai": HOSTILE})
    fake = FakeRun(tmp_path / "it's <odd> & ünï", seeds=(0,))
    odd = make_page(fake, run=HOSTILE, titles=titles, audit=audit, spec=spec, missing=missing)
    root = tree(odd)
    assert [one.get("src") for one in root.iter("img") if one.get("src") == "x"] == []
    assert not [one for one in root.iter() if any(name.startswith("on") for name in one.attrib)]
    assert len(list(root.iter("script"))) == len(list(root.iter("style"))) == 1
    told = "".join(root.itertext())
    assert told.count(HOSTILE) > 8
    assert f"settings.note: {HOSTILE}" in told
    assert numbers_in_page(odd.file) == [entry["printed"] for entry in entries(odd)]


def test_only_settings_that_a_job_reads_are_shown(tmp_path: Path):
    """An evaluation's plan has training's keys at their defaults."""
    settings = {"iterations": 30000, "validation": {"way": 5}, "inner_lr": 0.05, "filters": 16}
    page = make_page(FakeRun(tmp_path), spec={"seed": 0, "settings": settings})
    told = "".join(tree(page).itertext())
    assert "settings.inner_lr: 0.05" in told
    assert "settings.filters: 16" in told
    assert "settings.iterations" not in told
    assert "settings.validation" not in told


def test_an_unfinished_run_says_what_is_missing(tmp_path: Path):
    lost = MissingCell("omniglot/acai/maml/s0", "failed", "meta_train: out of memory")
    told = make_page(FakeRun(tmp_path / "cut"), audit=None, missing=(lost,), empty=True)
    root = tree(told)
    text = " ".join("".join(root.itertext()).split())
    assert "This run is not finished" in text
    assert "1 of 1 cells have no result that counts" in text
    assert "meta_train: out of memory" in text
    assert "No cell has been scored yet" in text
    assert "has not been audited" in text
    assert entries(told) == []


def test_an_unfinished_run_shows_no_figure_of_another_state(tmp_path: Path):
    view = make_page(FakeRun(tmp_path / "cut")).view
    drawn, stale = view.reader.graph.by_stage["make_figure"][:2]
    for job in (drawn, stale):
        for name in job.files:
            path = view.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("{}")
    assert [one.name for one in figures(replace(view, fresh={drawn}))] == [drawn.cell]


def test_the_accuracies_name_their_split(tmp_path: Path):
    page = make_page(FakeRun(tmp_path / "run"))
    assert "percent over tasks of the test split" in "".join(tree(page).itertext())
    datasets = ["mnist", "omniglot"]
    for chosen, shown in (datasets[:1], "validation or test"), (datasets, "validation"):
        settings = {"per_dataset": {name: {"split": "val"} for name in chosen}}
        config = parse_config({"grid": {"datasets": datasets}, "evaluation": settings})
        other = replace(page.view, reader=RunReader(config, page.view.folder))
        assert other.splits == shown


def test_the_same_run_gives_the_same_page(page: Page):
    assert render(page.view, ROOT, Numbers()) == page.file.read_text(encoding="utf-8")


def test_a_filter_offers_what_rows_have_and_is_left_out_if_that_is_all_the_same(page: Page):
    root = tree(page)
    form = root.find(".//form")
    offered = {
        select.get("id"): {one.get("value", one.text) for one in select.iter("option")} - {""}
        for select in form.iter("select")
    }
    rows = page.view.results[page.view.results["seed"] == "all"]
    assert offered["by-verdict"] == {one.replace(" ", "-") for one in rows["verdict"]}
    assert offered["by-kind"] == {one.get("data-kind") for one in root.iter("tr")} - {None}
    alike = replace(page.view, results=page.view.results.assign(verdict="compared"))
    assert 'id="by-verdict"' not in render(alike, ROOT, Numbers())


def test_two_hundred_cells_stay_below_three_megabytes(tmp_path: Path):
    fake = FakeRun(tmp_path / "large", learners=("maml", "protonets"), controls=("labels",))
    seeds = range(50)
    view = make_page(fake, seeds=seeds).view
    assert len(view.reader.config.expanded_grid.cells) == 200
    rows = view.results[view.results["seed"] == "0"]
    alone = [rows.assign(seed=str(i)) for i in seeds]
    large = replace(view, results=pd.concat([view.results[view.results["seed"] == "all"], *alone]))
    page, numbers = tmp_path / "report.html", Numbers()
    page.write_text(render(large, ROOT, numbers), encoding="utf-8")
    assert numbers_in_page(page) == [one["printed"] for one in numbers.entries]
    assert len(numbers.entries) > 200 * 4
    assert page.stat().st_size < 3 << 20


def test_a_curve_is_drawn_to_scale_and_thinned(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(
        "".join(f'{{"step": {i}, "val_loss": {i % 7}, "note": "x"}}\n' for i in range(1, 1001))
    )
    (curve,) = read_curves(path)
    assert (curve.title, curve.steps) == ("validation loss", 1000)
    points = [tuple(map(float, one.split(","))) for one in curve.points.split()]
    assert len(points) <= 120
    assert points[0][0] == 0
    assert points[-1][0] == 240
    assert all(0 <= y <= 72 for _, y in points)
    path.write_text("")
    assert read_curves(path) == []
    path.write_text("{]")
    with pytest.raises(DataError, match="training curve"):
        read_curves(path)


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path):
    path = tmp_path / "x.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DataError, match="picture"):
        embedded(path)


def test_an_edit_of_any_template_or_caption_makes_the_report_stale():
    config = parse_config({})
    declared = {str(one) for one in REPORT.definition.data_files(config, RunWildcards())}
    templates = ROOT / "workflow/scripts/cactus/report/templates"
    files = (*templates.iterdir(), ROOT / "workflow/report/table.rst")
    assert declared == {path.relative_to(ROOT).as_posix() for path in files}
