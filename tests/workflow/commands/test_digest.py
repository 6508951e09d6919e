"""``cactus digest`` on a finished run."""

import csv
import hashlib
import json
from pathlib import Path

import pytest

from tests.workflow.project import Project

pytestmark = pytest.mark.workflow


def digest(project: Project, folder: Path) -> Path:
    code, output = project.cactus("digest", "small", "--output", str(folder))
    assert code == 0, output
    return folder / "small"


def test_a_digest_holds_outputs_audit_and_records(project: Project, tmp_path: Path) -> None:
    folder = digest(project, tmp_path)
    for name in ("results.csv", "omniglot.tex"):
        assert (folder / "tables" / name).read_bytes() == (
            project.run / "tables" / name
        ).read_bytes()
    assert json.loads((folder / "audit.json").read_text())["findings"] == []
    with (folder / "records.csv").open() as file:
        rows = {row["job"]: row for row in csv.DictReader(file)}
    assert len(rows) == 55
    row = rows["meta_train/omniglot/acai/maml/s0"]
    names = [f"models/omniglot/acai/maml/s0/{one}" for one in row["results"].split()]
    digests = {
        name: hashlib.sha256((project.run / name).read_bytes()).hexdigest() for name in names
    }
    text = json.dumps(digests, sort_keys=True, separators=(",", ":"))
    assert row["results_sha256"] == hashlib.sha256(text.encode()).hexdigest()


def test_it_holds_the_recorded_tables_figures_and_pictures(
    project: Project, tmp_path: Path
) -> None:
    folder = digest(project, tmp_path)
    records = [json.loads(path.read_text()) for path in (project.run / "records").rglob("*.json")]
    recorded = {Path(name) for record in records for name in record["entities"]}
    wanted = {
        path for path in recorded if path.parts[0] in ("tables", "figures")
        and path.suffix in (".csv", ".tex", ".png")
    } | {
        Path("figures", f"embedding-{'-'.join(path.parts[1:])}") for path in recorded
        if path.parts[0] == "embeddings" and path.suffix == ".png"
    }  # fmt: skip
    found = {path.relative_to(folder) for path in folder.glob("*/*")}
    assert found == wanted


def test_its_page_shows_every_accuracy_and_every_figure(project: Project, tmp_path: Path) -> None:
    folder = digest(project, tmp_path)
    page = (folder / "README.md").read_text()
    with (folder / "tables/results.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["seed"] == "all"]
    for row in rows:
        number = f"{100 * float(row['mean']):.2f} ± {100 * float(row['ci95']):.2f}"
        assert number in page, row
    figures = [path.name for path in (folder / "figures").iterdir()]
    assert figures
    assert all(f"(figures/{name})" in page for name in figures)
    assert page.count("accuracy in percent (synthetic data, not the real data set)") == 2
    assert "--configfile config/demo.yaml config/small.yaml" in page


def test_a_digest_replaces_nothing_but_an_earlier_one(project: Project, tmp_path: Path) -> None:
    folder = digest(project, tmp_path)
    (folder / "tables/gone.tex").write_text("of an earlier run")
    digest(project, tmp_path)
    assert not (folder / "tables/gone.tex").exists()
    (folder / "records.csv").unlink()
    code, output = project.cactus("digest", "small", "--output", str(tmp_path))
    assert code != 0
    assert "an existing file or folder" in output
    assert (folder / "README.md").is_file()


def test_a_run_with_findings_has_no_digest(project: Project, tmp_path: Path) -> None:
    table = project.run / "tables/omniglot.tex"
    table.write_text(table.read_text() + "%")
    code, output = project.cactus("digest", "small", "--output", str(tmp_path))
    assert code != 0
    assert "output changed: tables/omniglot.tex" in output
    assert list(tmp_path.iterdir()) == []
