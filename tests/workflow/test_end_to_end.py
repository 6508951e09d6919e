"""A small grid on synthetic data, from images to tables and figures, with the real Snakemake."""

import csv
import json
import math
import statistics
from pathlib import Path

import pytest

from tests.workflow.snake import ROOT, snakemake

pytestmark = pytest.mark.workflow
STUDY = ["--configfile", str(ROOT / "config/demo.yaml"), str(ROOT / "tests/workflow/cut.yaml")]
CELLS = [
    f"{dataset}/{source}/{learner}/s0"
    for dataset in ("omniglot", "celeba")
    for source, learner in [("acai", "maml"), ("acai", "protonets"), ("scratch", "maml")]
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workflow")
    output = snakemake(folder, "--cores", "2", *STUDY)
    return folder, folder / "results/cut", output


def rows(results: Path) -> list[dict[str, str]]:
    with (results / "tables/results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_ends_with_its_accuracies_and_the_paths_of_its_outputs(run):
    folder, _, output = run
    again = snakemake(folder, "--cores", "2", *STUDY)
    assert "nothing to do" in again
    for text in (output, again):
        assert "Accuracy of the CACTUs cells in percent (synthetic data" in text
        assert "Every number: results/cut/tables/results.csv" in text
        assert "Tables and figures: results/cut/tables, results/cut/figures" in text
        assert "The whole run in one page: results/cut/report.html" in text
        assert "The paper: `cactus paper cut` makes it, with LaTeX" in text


@pytest.mark.parametrize("option", ["--dag", "--list-rules", "--quiet"])
def test_a_call_that_asks_for_something_else_prints_no_accuracies(run, option):
    folder, _, _ = run
    assert "Every number" not in snakemake(folder, "--cores", "2", option, *STUDY)


def test_a_call_for_the_first_jobs_says_nothing_of_the_rest(tmp_path):
    option = ("--until", "prepare_data")
    assert "Every number" not in snakemake(tmp_path, "--cores", "2", *option, *STUDY)
    assert len([*tmp_path.glob("results/cut/data/*/manifest.json")]) == 2
    touched = snakemake(tmp_path, "--cores", "1", "--touch", *STUDY)
    assert "Every number" not in touched
    assert "DataError" not in touched


def test_progress_names_the_cell_the_time_and_what_remains(run):
    _, _, output = run
    done = [line for line in output.splitlines() if "  done   meta_train" in line]
    assert len(done) == 4
    assert any("omniglot/acai/maml/s0" in line for line in done)
    assert all(" s  (" in line and "remain)" in line for line in done)


@pytest.mark.parametrize("cell", CELLS)
def test_every_number_follows_from_its_episodes(run, cell):
    _, results, _ = run
    folder = results / "evaluations" / cell
    with (folder / "accuracies.csv").open(newline="") as file:
        episodes = list(csv.DictReader(file))
    for setting in json.loads((folder / "summary.json").read_text())["settings"]:
        values = [
            float(row["accuracy"])
            for row in episodes
            if (int(row["way"]), int(row["shot"])) == (setting["way"], setting["shot"])
        ]
        assert len(values) == setting["tasks"] == 20
        assert setting["mean"] == pytest.approx(statistics.fmean(values), abs=1e-12)
        half = 1.96 * statistics.pstdev(values) / math.sqrt(len(values))
        assert setting["ci95"] == pytest.approx(half, abs=1e-12)
        found = [
            row
            for row in rows(results)
            if row["dataset"] == cell.split("/")[0]
            and row["source"] == cell.split("/")[1]
            and row["learner"] == cell.split("/")[2]
            and row["seed"] == "0"
            and (int(row["way"]), int(row["shot"])) == (setting["way"], setting["shot"])
            and row["method"] in ("cactus-maml", "cactus-protonets", "scratch")
        ]
        assert [float(row["mean"]) for row in found] == [setting["mean"]]


@pytest.mark.parametrize("cell", CELLS)
def test_confused_classes_are_counted_on_the_episodes_of_the_first_setting(run, cell):
    _, results, _ = run
    folder = results / "evaluations" / cell
    with (folder / "confusion.csv").open(newline="") as file:
        counts = list(csv.DictReader(file))
    if cell.startswith("celeba"):  # its tasks are made of attributes
        assert counts == []
        return
    first = json.loads((folder / "summary.json").read_text())["settings"][0]
    assert {(int(row["way"]), int(row["shot"])) for row in counts} == {
        (first["way"], first["shot"])
    }
    total = sum(int(row["predictions"]) for row in counts)
    right = sum(int(row["predictions"]) for row in counts if row["class"] == row["predicted"])
    assert total == first["tasks"] * first["way"] * first["query"]
    assert right == pytest.approx(first["mean"] * total, abs=1e-6)


def test_every_method_of_a_setting_saw_the_same_episodes(run):
    _, results, _ = run
    hashes: dict[tuple[str, str, str], set[str]] = {}
    for row in rows(results):
        key = (row["dataset"], row["way"], row["shot"])
        hashes.setdefault(key, set()).add(row["episodes_sha256"])
    assert {len(found) for found in hashes.values()} == {1}


def test_tables_and_figures_exist_and_are_marked_as_synthetic(run):
    _, results, _ = run
    for dataset in ("omniglot", "celeba"):
        assert "synthetic data" in (results / f"tables/{dataset}.tex").read_text().lower()
        assert (results / f"figures/tasks-{dataset}.png").stat().st_size > 5000
    assert {row["synthetic"] for row in rows(results)} == {"True"}
    for name in ("accuracy_grid", "paper_comparison", "shots", "training_curves-omniglot",
                 "confusion-omniglot"):  # fmt: skip
        assert (results / f"figures/{name}.pdf").read_bytes().startswith(b"%PDF")
        assert (results / f"figures/{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_second_call_has_nothing_to_do(run):
    folder, _, _ = run
    assert "nothing to do" in snakemake(folder, "--cores", "2", *STUDY)


def test_the_same_input_gives_the_same_bits(run):
    folder, results, _ = run
    kept = {}
    for name in ("models/omniglot/acai/maml/s0/model.safetensors",
                 "evaluations/omniglot/acai/maml/s0/accuracies.csv",
                 "embeddings/omniglot/acai/s0/train.npy"):  # fmt: skip
        kept[name] = (results / name).read_bytes()
        (results / name).unlink()
    targets = [f"results/cut/{name}" for name in kept]
    snakemake(folder, "--cores", "2", *STUDY, "--", *targets)
    assert {name: (results / name).read_bytes() for name in kept} == kept


def test_a_failing_job_stops_with_its_message_and_the_others_go_on_if_asked(tmp_path):
    study = tmp_path / "diverging.yaml"
    study.write_text(
        "run: diverging\n"
        "grid: {datasets: [omniglot], embeddings: [acai, bigan], learners: [protonets],"
        " controls: {omniglot: []}, scratch: false, baselines: false}\n"
        "embeddings: {acai: {learning_rate: 1e30}}\n"
    )
    failing = "results/diverging/embeddings/omniglot/acai/s0/manifest.json"
    other = "results/diverging/models/omniglot/bigan/protonets/s0/model.safetensors"
    options = ["--cores", "1", *STUDY, str(study)]
    # The one that fails comes first.
    first = ["--prioritize", failing]
    output = snakemake(tmp_path, *options, *first, "--", failing, other, check=False)
    assert "FAILED train_embedding omniglot/acai/s0" in output
    assert "TrainingError: " in output
    assert "fix:" in output
    assert not (tmp_path / failing).exists()
    assert not (tmp_path / other).exists()
    assert "3 other jobs need none of them: with --keep-going, the same command goes on" in output

    output = snakemake(tmp_path, *options, "--keep-going", "--", failing, other, check=False)
    assert "FAILED train_embedding omniglot/acai/s0" in output
    assert (tmp_path / other).exists()
    assert "--keep-going" not in output
