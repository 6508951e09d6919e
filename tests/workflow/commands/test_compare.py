"""``cactus compare`` on two runs of which one took over what they share."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from cactus.files import file_hash
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow
FILES = {"comparison.tex", "comparison.csv", "comparison.pdf", "comparison.png"}


@pytest.fixture(scope="module")
def compared(shared: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A comparison and what was printed; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("compare") / "compared"
    code, output = shared.cactus("compare", "small", "second", "--out", str(folder))
    assert code == 0, output
    return folder, output


def test_every_number_follows_from_the_files_that_it_names(shared: Project, compared):
    folder, output = compared
    assert {path.name for path in folder.iterdir()} == FILES | {"numbers.json", "paired_tests.csv"}
    numbers = json.loads((folder / "numbers.json").read_text())["numbers"]
    text = (folder / "comparison.tex").read_text()
    assert r"\caption{\textbf{[synthetic data, not the real data set]}" in text
    for one in numbers:
        assert one["printed"] in output
        means = []
        for side in (one["from"], one.get("minus", [])):
            runs = {}
            for origin in side:
                file = shared.folder / "results" / origin["run"] / origin["file"]
                assert file_hash(file) == origin["sha256"]
                runs.setdefault(origin["run"], []).append(mean(file, one))
            means += [sum(values) / len(values) for values in list(runs.values())[:1]]
        value = means[0] - means[1] if len(means) == 2 else means[0]
        printed = float(one["printed"].split()[0])
        assert printed == pytest.approx(100 * value, abs=0.0051)
        assert f"{abs(printed):.2f}" in text


def mean(file: Path, entry: dict[str, str]) -> float:
    """Average the accuracies of a number's setting and method, with code of the test's own."""
    way, shot = re.match(r"(\d+)-way (\d+)-shot", entry["column"]).groups()
    titles = {"kNN": "knn", "Linear classifier": "linear"}
    method = next((name for title, name in titles.items() if f", {title} (" in entry["row"]), "")
    with file.open() as opened:
        rows = [
            float(row["accuracy"])
            for row in csv.DictReader(opened)
            if (row["way"], row["shot"], row.get("method", "")) == (way, shot, method)
        ]
    assert len(rows) == 10
    return sum(rows) / len(rows)


def test_shared_cells_are_one_row_and_others_are_tested(compared):
    folder, output = compared
    with (folder / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    shared = {row["source"] for row in rows if row["runs"] == "small second"}
    assert shared == {"scratch", "bigan", "labels"}
    assert {row["runs"] for row in rows if row["source"] == "acai"} == {"small", "second"}
    with (folder / "paired_tests.csv").open() as file:
        tests = list(csv.DictReader(file))
    assert {(row["source"], row["other_source"]) for row in tests} == {("acai", "acai")}
    assert {(row["runs"], row["other_runs"]) for row in tests} == {("second", "small")}
    assert "small = second" in output
    assert "note: Synthetic data, not the real data set" in output


def test_it_replaces_a_comparison_and_nothing_else(shared: Project, compared, tmp_path: Path):
    folder = shutil.copytree(compared[0], tmp_path / "compared")
    before = {name: file_hash(folder / name) for name in sorted(FILES)}
    code, _ = shared.cactus("compare", "small", "second", "--out", str(folder))
    assert code == 0
    assert {name: file_hash(folder / name) for name in sorted(FILES)} == before
    (folder / "mine.txt").touch()
    for out in (folder, shared.run, shared.run / "tables"):
        code, output = shared.cactus("compare", "small", "second", "--out", str(out))
        assert code != 0
        assert "cannot be written there" in output
    assert (folder / "mine.txt").exists()


@pytest.mark.parametrize("harm", ["edit", "stale"])
def test_a_run_that_does_not_pass_its_audit_is_refused(shared: Project, tmp_path: Path, harm: str):
    project = shared.copy(tmp_path / "project")
    if harm == "edit":
        file = project.run / "evaluations/omniglot/acai/maml/s0/accuracies.csv"
        file.write_text(file.read_text().replace("0.", "0.0", 1))
    else:
        learner = project.scripts / "cactus/meta/maml/learner.py"
        learner.write_text(learner.read_text() + "\nEDITED = 1\n")
    code, output = project.cactus("compare", "small", "second", "--out", str(tmp_path / "out"))
    assert code != 0
    assert "A run that does not pass its audit cannot be compared." in output
    assert not (tmp_path / "out").exists()
