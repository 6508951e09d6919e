"""``cactus digest`` on a finished run."""

import csv
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.workflow.project import ROOT, Project

pytestmark = pytest.mark.workflow


def digest(project: Project, folder: Path) -> Path:
    code, output = project.cactus("digest", "small", "--output", str(folder))
    assert code == 0, output
    return folder / "small"


@pytest.fixture(scope="module")
def folder(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A digest of the finished run; tests leave it as it is."""
    return digest(finished, tmp_path_factory.mktemp("digests"))


def test_a_digest_holds_outputs_audit_and_records(finished: Project, folder: Path) -> None:
    for name in ("results.csv", "omniglot.tex"):
        assert (folder / "tables" / name).read_bytes() == (
            finished.run / "tables" / name
        ).read_bytes()
    assert json.loads((folder / "audit.json").read_text())["findings"] == []
    with (folder / "records.csv").open() as file:
        rows = {row["job"]: row for row in csv.DictReader(file)}
    assert len(rows) == 57
    row = rows["meta_train/omniglot/acai/maml/s0"]
    names = [f"models/omniglot/acai/maml/s0/{one}" for one in row["results"].split()]
    digests = {
        name: hashlib.sha256((finished.run / name).read_bytes()).hexdigest() for name in names
    }
    text = json.dumps(digests, sort_keys=True, separators=(",", ":"))
    assert row["results_sha256"] == hashlib.sha256(text.encode()).hexdigest()


def test_it_holds_the_recorded_tables_figures_and_pictures(finished: Project, folder: Path) -> None:
    records = [json.loads(path.read_text()) for path in (finished.run / "records").rglob("*.json")]
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


def test_its_page_shows_every_accuracy_and_every_figure(folder: Path) -> None:
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


def test_by_itself_it_is_written_where_git_leaves_it_out(project: Project) -> None:
    code, output = project.cactus("digest", "small")
    assert (code, output.splitlines()) == (
        0,
        [
            "wrote results/digests/small",
            "to keep it in git: `cactus digest small --output docs/results`",
        ],
    )
    assert (project.folder / "results/digests/small/README.md").is_file()
    assert "/results/*\n" in (ROOT / ".gitignore").read_text()
    assert "note: results" not in project.cactus("status")[1]


def _is_refused(project: Project, output: Path, got: str) -> None:
    code, text = project.cactus("digest", "small", "--output", str(output))
    assert code != 0
    assert got in text


def test_a_digest_replaces_nothing_but_an_earlier_one(project: Project, tmp_path: Path) -> None:
    folder = digest(project, tmp_path)
    (folder / "tables/gone.tex").write_text("of an earlier run")
    digest(project, tmp_path)
    assert not (folder / "tables/gone.tex").exists()
    for name in ("thesis.txt", ".git/config", "tables/notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
        _is_refused(project, tmp_path, "an existing file or folder")
        assert (folder / name).read_text() == "mine"
        (folder / name).unlink()
    page = folder / "README.md"
    page.write_text(page.read_text().replace("small", "other", 1))
    _is_refused(project, tmp_path, "an existing file or folder")
    assert "other" in page.read_text()


def test_a_digest_is_not_written_into_any_run(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "results" / "other"
    for name in ("plans", "records"):
        (other / name).mkdir(parents=True)
    for folder in (other, other / "deeper", project.run):
        _is_refused(project, folder, "a path inside the folder of a run")


def test_the_digest_of_a_copy_has_the_name_of_its_folder(project: Project, tmp_path: Path) -> None:
    copy = project.run.parent / "copy"
    shutil.copytree(project.run, copy)
    try:
        code, output = project.cactus("digest", str(copy), "--output", str(tmp_path))
        assert code == 0, output
        assert (tmp_path / "copy/README.md").read_text().startswith("# Run `copy`\n")
    finally:
        shutil.rmtree(copy)
    assert not (tmp_path / "small").exists()


def test_a_run_with_findings_has_no_digest(project: Project, tmp_path: Path) -> None:
    table = project.run / "tables/omniglot.tex"
    table.write_text(table.read_text() + "%")
    code, output = project.cactus("digest", "small", "--output", str(tmp_path))
    assert code != 0
    assert "output changed: tables/omniglot.tex" in output
    assert list(tmp_path.iterdir()) == []
