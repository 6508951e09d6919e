"""What prints names of embeddings and learners prints their titles, in files and in maps alike."""

import json
from pathlib import Path
from typing import Any

import pytest

from cactus.config.load import parse_config
from cactus.config.printed.titles import Titles
from cactus.config.sections.outputs import PER_DATASET, OutputSettings
from cactus.errors import RecordError
from cactus.files import write_json
from cactus.paper.draw.registry import FIGURES, draw
from cactus.paper.latex import document, escape
from cactus.paper.tables.registry import write_table
from cactus.provenance.audit.printed import map_entries
from cactus.provenance.audit.reading.tex import numbers_in_table
from cactus.provenance.audit.trace import _entry
from cactus.provenance.digest.page import _accuracies
from tests.unit.paper.conftest import Run, make_run
from tests.unit.paper.fake_run import FakeRun
from tests.unit.paper.figures.drawing import drawn_figure, shown_texts
from tests.unit.paper.test_latex import pdflatex

LONGEST = "Ünsal's 50% & more_ #1 {x} ~ ^ <b>, trained for quite a whil"
TITLES = Titles(
    embeddings={"fresh": "[50%] & more_", "long": LONGEST}, learners={"mine": "Mine | 5% & <_>"}
)
KINDS = ("accuracies", "verdicts", "tests")
SCHEDULE = [
    ("embedding-fresh", "iterations", 0, 262_144),
    ("learner-mine", "training images", "augmented", "no"),
    ("oracle-mine", "training images", "augmented", "no"),
]


@pytest.fixture(scope="module")
def own_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Embeddings and a learner of a study's own, beside shipped ones."""
    return make_run(
        FakeRun(
            tmp_path_factory.mktemp("runs") / "own",
            embeddings=("acai", "fresh", "long"),
            learners=("protonets", "mine"),
            controls=("labels", "hyperplanes-fresh", "fresh+k-7"),
        )
    )


def table(run: Run, kind: str, folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """Return the text of a table, with LaTeX's lines joined, and the entries of its map."""
    path = folder / f"{kind}.tex"
    planes = folder / "summary.json"
    margins = {"margin": 0.1, "margin_asked": 0.6}
    write_json(planes, {"source": "hyperplanes-fresh", "learner": "mine", **margins})
    data = None if kind == "partition_quality" else "omniglot"
    keys = SCHEDULE, [planes], [("mine", True)], TITLES
    write_table(kind, run.results, data, path, 2, "own", *keys)
    cells = json.loads((folder / f"{path.name}.map.json").read_text())["cells"]
    return " ".join(path.read_text().split()), cells


@pytest.mark.parametrize("kind", [*KINDS, "partition_quality"])
def test_tables_print_titles_and_no_names(own_run: Run, tmp_path: Path, kind: str):
    text, entries = table(own_run, kind, tmp_path)
    for title in (*TITLES.embeddings.values(), *TITLES.learners.values()):
        assert escape(title) in text or escape(f"CACTUs-{title}") in text
        named = any(title in f"{entry['row']} {entry['column']}" for entry in entries)
        assert named != (kind == "verdicts")  # of whose rows the paper has no number
    for title in (r"Hyperplanes ([50\%] \& more\_)", r"[50\%] \& more\_, k = 7"):
        assert title in text
    assert not any(f"{before}fresh" in text or f"{before}mine" in text for before in " ({-")
    printed = [cell for row in numbers_in_table(tmp_path / f"{kind}.tex") for cell in row]
    assert printed == [entry["printed"] for entry in entries]


def test_notes_print_titles(own_run: Run, tmp_path: Path):
    text, _ = table(own_run, "accuracies", tmp_path)
    fresh, mine = (escape(one) for one in ("[50%] & more_", "Mine | 5% & <_>"))
    both = f"{mine} and Oracle-{mine}: training images augmented (no)"
    assert f"{fresh}: iterations 0 (262,144); {both}" in text
    assert f"{mine}: a learner of this study's own, it predicts the queries" in text
    assert rf"Hyperplanes ([50\%] \& more\_), {mine}: too few hyperplanes" in text


def test_an_embedding_and_a_learner_of_one_name_keep_their_titles(own_run: Run, tmp_path: Path):
    schedule = [
        ("embedding-own", "epochs", 0, 9),
        ("learner-own", "training images", "augmented", "unchanged"),
    ]
    titles = Titles(embeddings={"own": "Net"}, learners={"own": "Learner"})
    write_table("verdicts", own_run.results, "omniglot", tmp_path / "a.tex", 2, "own", schedule,
                titles=titles)  # fmt: skip
    text = " ".join((tmp_path / "a.tex").read_text().split())
    assert "Net: epochs 0 (9); Learner: training images augmented (unchanged)" in text


@pytest.mark.latex
def test_tables_with_such_titles_compile(own_run: Run, tmp_path: Path):
    names = [*KINDS, "partition_quality"]
    for kind in names:
        table(own_run, kind, tmp_path)
    (tmp_path / "tables.tex").write_text(document(names))
    # The tests of ablations are a page of their own.
    assert "Output written on tables.pdf (5 pages" in pdflatex(tmp_path, "tables.tex")


DRAWN = [name for name in FIGURES if name != "paper_comparison"]  # which has no custom rows


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_figures_print_titles_and_no_names(own_run: Run, name: str):
    dataset = "omniglot" if name in PER_DATASET else None
    figure = drawn_figure(own_run, name, dataset, TITLES)
    texts = {" ".join(one.get_text().split()) for one in shown_texts(figure)}
    shown = " / ".join(texts).replace("- ", "-")
    assert "[50%]" in shown or "Mine | 5%" in shown
    words = {word.strip("(),") for one in texts for word in one.split()}
    assert not words & {"fresh", "long", "mine", "CACTUs-mine", "oracle-mine"}


def test_the_map_of_a_figure_has_titles(own_run: Run, tmp_path: Path):
    draw("accuracy_grid", own_run.folder, tmp_path / "grid", OutputSettings(), titles=TITLES)
    entries = json.loads((tmp_path / "grid.map.json").read_text())["cells"]
    rows = {entry["row"]: entry["results_row"]["source"] for entry in entries}
    assert rows[f"Omniglot, {LONGEST}, CACTUs-Mine | 5% & <_>"] == "long"
    assert rows["Omniglot, True labels, Oracle-Mine | 5% & <_>"] == "labels"


@pytest.mark.parametrize(
    ("row", "source"),
    [
        (f"{LONGEST}, CACTUs-ProtoNets", "long"),
        ("[50%] & more_, CACTUs-ProtoNets", "fresh"),
        ("50 more_ CACTUs-ProtoNets", "fresh"),
        ("fresh, CACTUs-ProtoNets", "fresh"),
        ("omniglot fresh cactus-protonets", "fresh"),
        ("long, CACTUs-ProtoNets", "long"),
        ("acai protonets", "acai"),
        ("fresh k = 7 protonets", "fresh+k-7"),
    ],
)
def test_rows_are_found_by_title_and_by_name(own_run: Run, tmp_path: Path, row: str, source: str):
    table(own_run, "accuracies", tmp_path)
    entries = map_entries(tmp_path / "accuracies.tex.map.json")
    found = _entry(entries, tmp_path / "accuracies.tex", row, "5w1s ours")
    assert (found["results_row"]["source"], found["results_row"]["learner"]) == (
        source,
        "protonets",
    )


def test_what_fits_several_rows_is_refused(own_run: Run, tmp_path: Path):
    table(own_run, "accuracies", tmp_path)
    entries = map_entries(tmp_path / "accuracies.tex.map.json")
    with pytest.raises(RecordError, match="fits"):
        _entry(entries, tmp_path / "accuracies.tex", "fresh", "5w1s ours")
    with pytest.raises(RecordError, match="No row matches"):
        _entry(entries, tmp_path / "accuracies.tex", "nothing", "5w1s ours")


def test_the_page_of_a_digest_shows_titles_as_they_are(own_run: Run):
    lines = list(_accuracies(own_run.results, TITLES))
    row = next(line for line in lines if "more" in line and "CACTUs-Mine" in line)
    assert row.startswith(r"| \[50%\] \& more\_ | CACTUs-Mine \| 5% \& \<\_\> |")
    assert not any(" fresh" in line or "mine" in line for line in lines)
    assert parse_config({}).titles() == Titles()
