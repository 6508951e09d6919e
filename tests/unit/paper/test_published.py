import csv
from pathlib import Path

import pytest

from cactus.config.printed.titles import UNTITLED
from cactus.config.sections.base import BUILT_IN
from cactus.config.sections.names import METHODS
from cactus.errors import DataError
from cactus.paper.published import CELL_KEYS, read_published


def _cell(published: Path, **keys: object) -> dict[str, object]:
    frame = read_published(published)
    for key, value in keys.items():
        frame = frame[frame[key] == value]
    assert len(frame) == 1
    return frame.iloc[0].to_dict()


def test_numbers_of_the_paper_are_fractions_with_their_marks(published: Path):
    keys = {"dataset": "omniglot", "source": "acai", "way": 5, "shot": 1}
    cell = _cell(published, method="cactus-maml", **keys)
    assert (cell["paper_mean"], cell["paper_ci95"]) == (0.6884, 0.0080)
    assert (cell["paper_status"], cell["paper_ci95_status"]) == ("verified", "verified")
    baseline = _cell(published, method="knn", **keys)
    assert (baseline["paper_mean"], baseline["paper_ci95_status"]) == (0.5746, "recalled")


def test_an_unavailable_number_is_nan(published: Path):
    cell = _cell(published, dataset="mnist", source="acai", method="cactus-maml", way=10, shot=1)
    assert cell["paper_status"] == "unavailable"
    assert cell["paper_mean"] != cell["paper_mean"]


def test_ablations_are_listed_under_their_source(published: Path):
    keys = {"dataset": "omniglot", "way": 5, "shot": 5, "method": "cactus-maml"}
    means = {
        source: _cell(published, source=source, **keys)["paper_mean"]
        for source in ("random+5-way", "pixels", "hyperplanes-acai", "acai+p-1", "acai")
    }
    assert list(means.values()) == [0.2574, 0.4019, 0.8320, 0.8560, 0.8778]


def test_the_file_speaks_our_vocabulary(published: Path):
    frame = read_published(published)
    assert set(frame["dataset"]) == set(BUILT_IN)
    assert set(frame["method"]) == set(METHODS)
    assert all(UNTITLED.source(source) for source in frame["source"])
    numbers = frame["paper_mean"].dropna()
    assert ((numbers > 0) & (numbers < 1)).all()
    assert (frame["paper_ci95"].dropna() < 0.02).all()


@pytest.mark.parametrize(
    ("changes", "got"),
    [
        ({"accuracy_status": "guessed"}, "guessed"),
        ({"accuracy": "", "ci95": ""}, "verified"),
        ({"accuracy": "many"}, "many"),
        ({"way": "five"}, "five"),
    ],
)
def test_damage_is_named(published: Path, tmp_path: Path, changes: dict[str, str], got: str):
    rows = _rows(published)
    row = next(row for row in rows if row["accuracy_status"] == "verified")
    row.update(changes)
    with pytest.raises(DataError) as caught:
        read_published(_write(tmp_path / "published.csv", rows))
    assert got in caught.value.got


def test_as_many_means_and_intervals_are_verified_as_the_documentation_says(published: Path):
    frame = read_published(published)
    means = frame[frame["paper_status"] == "verified"]
    intervals = means["paper_ci95_status"].value_counts().to_dict()
    text = (Path(__file__).parents[3] / "docs" / "statistics.md").read_text()
    assert f"Of the {len(means)} verified means, {intervals['recalled']} have" in text
    assert f"{intervals['']} verified means have no interval" in text
    assert means["paper_ci95"].isna().sum() == intervals[""]


def test_a_duplicate_cell_is_named(published: Path, tmp_path: Path):
    rows = _rows(published)
    with pytest.raises(DataError, match="not valid") as caught:
        read_published(_write(tmp_path / "published.csv", [*rows, rows[70]]))
    assert all(rows[70][key] in caught.value.got for key in CELL_KEYS)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(DataError) as caught:
        read_published(tmp_path / "none.csv")
    assert "none.csv" in caught.value.where


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
