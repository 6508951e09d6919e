"""The macros of numbers: what they print, and that they are read back as they were written."""

from pathlib import Path

from cactus.manuscript.numbers import numbers_file
from cactus.paper.cells import percent
from cactus.provenance.audit.reading.tex import numbers_of_macros
from tests.report.pages import make_page
from tests.unit.paper.fake_run import FakeRun


def test_every_accuracy_is_a_macro_and_an_entry_of_the_map(tmp_path: Path):
    view = make_page(FakeRun(tmp_path, scratch=True, controls=["labels"])).view
    text, entries = numbers_file(view, {"jobs": "7", "verdicts": "2 above & 50 % below"})
    (tmp_path / "numbers.tex").write_text(text, encoding="utf-8")
    assert numbers_of_macros(tmp_path / "numbers.tex") == [one["printed"] for one in entries]
    averaged = view.results[view.results["seed"] == "all"]
    ours = [one for one in entries if one["columns"][0] == "mean"]
    assert len(ours) == len(averaged)
    for row in averaged.to_dict("records"):
        key = f"{row['dataset']}/{row['source']}/{row['method']}/{row['way']}w{row['shot']}s"
        value = rf"{percent(row['mean'], 2)} \pm {percent(row['ci95'], 2)}"
        assert rf"\cactusnumber{{ours}}{{{key}}}{{{value}}}" in text
    assert r"\cactusfact{verdicts}{2 above \& 50 \% below}" in text


def test_an_edited_macro_is_read_as_edited(tmp_path: Path):
    path = tmp_path / "numbers.tex"
    path.write_text(
        "\\cactusnumber{ours}{a/b/c/5w1s}{12.50 \\pm 0.31}\n"
        "\\cactusnumber{published}{a/b/c/5w1s}{68.84}\n"
        "\\cactusnumber{ours}{a/b/d/5w1s}{12.50 \\pm}\n",
        encoding="utf-8",
    )
    assert numbers_of_macros(path) == ["12.50 ± 0.31", "68.84", r"unreadable: 12.50 \pm"]
