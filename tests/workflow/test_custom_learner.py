"""The custom learner of the docs: planned, run, interrupted, edited and audited."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.workflow.grid import wave
from tests.workflow.project import CONFIG, ROOT, Project
from tests.workflow.training_job import TrainingJob

pytestmark = pytest.mark.workflow

CELL, ORACLE = "omniglot/acai/matching/s0", "omniglot/labels/matching/s0"
STUDY = (*CONFIG, "config/matching.yaml")
FILE = "own/matching.py"
OWN = {
    f"{stage} {cell}"
    for stage in ("make_partitions", "measure_partitions", "meta_train", "evaluate_model")
    for cell in (CELL, ORACLE)
}
TRAINED = {one for one in OWN if one.startswith(("meta_train", "evaluate_model"))}
PRINTED = wave("aggregate_results")
ENTRY: dict[str, Any] = {
    "module": FILE,
    "iterations": 3,
    "way": 5,
    "settings": {"filters": 8},
    "validation": {"every": 2, "tasks": 5},
}


def write_study(project: Project, study: dict[str, Any]) -> None:
    (project.folder / "config/matching.yaml").write_text(yaml.safe_dump(study))


def change_entry(project: Project, **changes: Any) -> None:
    study = yaml.safe_load((project.folder / "config/matching.yaml").read_text())
    study["learners"]["custom"]["matching"] = {**ENTRY, **changes}
    write_study(project, study)


@pytest.fixture(scope="module")
def project(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The finished run, with a learner added to its grid and run."""
    made = finished.copy(tmp_path_factory.mktemp("matching") / "project")
    (made.folder / "own").mkdir()
    shutil.copy(ROOT / "docs/examples/matching_networks.py", made.folder / FILE)
    study = yaml.safe_load((made.folder / "config/small.yaml").read_text())
    study["grid"]["learners"] = ["maml", "protonets", "matching"]
    study["grid"]["exclude"] += [
        {"learner": "matching", "source": "bigan"},
        {"learner": "matching", "dataset": "mnist"},
    ]
    study["learners"]["custom"] = {"matching": ENTRY}
    write_study(made, study)
    assert made.stale_jobs(config=STUDY) == OWN | PRINTED
    made.snakemake("--cores", "2", config=STUDY)
    return made


def test_its_cells_are_scored_printed_and_audited(project: Project):
    code, printed = project.cactus("audit", "small")
    assert (code, "all agree" in printed) == (0, True), printed
    scores = pd.read_csv(project.run / f"evaluations/{CELL}/accuracies.csv")
    results = pd.read_csv(project.run / "tables/results.csv")
    row = results[(results["method"] == "cactus-matching") & (results["seed"] == "0")]
    for one in row.itertuples():
        own = scores[(scores["way"] == one.way) & (scores["shot"] == one.shot)]
        np.testing.assert_allclose(own["accuracy"].mean(), one.mean, rtol=1e-6)
    assert set(results[results["learner"] == "matching"]["verdict"]) <= {"not in the paper", np.nan}
    table = (project.run / "tables/omniglot.tex").read_text()
    assert "CACTUs-matching" in table
    assert "Oracle-matching" in table
    assert "matching: a learner of this study's own, not transductive." in table


def test_it_is_tested_against_the_other_learner_once(project: Project):
    tests = pd.read_csv(project.run / "tables/paired_tests.csv")
    pairs = tests[["source", "method", "other_method"]].drop_duplicates()
    acai = pairs[pairs["source"] == "acai"]
    found = list(zip(acai["method"], acai["other_method"], strict=True))
    assert ("cactus-protonets", "cactus-matching") in found
    assert ("cactus-matching", "cactus-protonets") not in found


def test_a_printed_number_is_traced_to_its_file(project: Project):
    code, printed = project.cactus(
        "trace", "results/small/tables/omniglot.tex", "--row", "ACAI CACTUs-matching",
        "--col", "5w1s", "--json",
    )  # fmt: skip
    assert code == 0, printed
    assert FILE in printed


def test_an_edit_of_the_file_makes_exactly_its_cells_stale(project: Project):
    path = project.folder / FILE
    text = path.read_text()
    path.write_text(text.replace("log_softmax(2)", "log_softmax(-1)"))
    assert project.stale_jobs(config=STUDY) == TRAINED | PRINTED
    code, printed = project.cactus("why", f"meta_train/{CELL}")
    assert f"code {FILE} changed" in printed, (code, printed)
    assert "log_softmax(-1)" in printed
    path.write_text("# a comment is no change\n" + text)
    assert project.stale_jobs(config=STUDY) == set()
    path.write_text(text)


def test_its_own_keys_are_planned_for_its_cells(project: Project):
    change_entry(project, settings={"filters": 9})
    assert project.stale_jobs(config=STUDY) == TRAINED | PRINTED
    change_entry(project, evaluation_tasks_at_once=7)
    assert project.stale_jobs(config=STUDY) == TRAINED | PRINTED
    change_entry(project, acceptance={"n_init": 2})
    assert project.stale_jobs(config=STUDY) == (OWN | PRINTED) - {
        one for one in OWN if "labels" in one
    }
    change_entry(project, settings={"filtres": 8})
    done = project.run_snakemake("-n", config=STUDY)
    assert done.returncode != 0
    assert "did you mean 'filters'?" in done.stdout + done.stderr
    change_entry(project)


def test_a_killed_training_resumes_with_the_same_bits(project: Project, tmp_path: Path):
    copy = project.copy(tmp_path / "project")
    TrainingJob(copy, CELL).check_that_it_resumes()


def test_a_crate_recomputes_its_cell(project: Project):
    code, printed = project.cactus("export", "small")
    assert code == 0, printed
    code, printed = project.cactus("replay", "small.crate.zip", CELL)
    assert (code, "8 results recomputed, 0 different" in printed) == (0, True), printed


def test_its_keys_are_shown_with_their_places(project: Project):
    code, printed = project.cactus("config", "small", CELL, "learners.custom")
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line}
    assert code == 0, printed
    assert {name.split(".")[2] for name in rows} == {"matching"}
    assert rows["learners.custom.matching.way"][1].startswith("config/matching.yaml:")
    assert rows["learners.custom.matching.outer_lr"] == ["0.001", "built-in", "default"]


def test_a_file_that_is_not_declared_stops_the_job(project: Project, tmp_path: Path):
    copy = project.copy(tmp_path / "project")
    path = copy.folder / FILE
    text = path.read_text()
    (copy.folder / "own/weights.npy").write_bytes(b"x")
    opened = text.replace(
        "        super().__init__(training, image_shape)\n",
        "        super().__init__(training, image_shape)\n"
        "        with open('own/weights.npy', 'rb') as file:\n            file.read()\n",
    )
    path.write_text(opened)
    target = f"results/small/models/{CELL}/model.json"
    done = copy.run_snakemake("--cores", "1", target, config=STUDY)
    assert done.returncode != 0
    log = copy.run / f"logs/meta_train/{CELL}.log"
    assert "where: learners.custom.matching.files" in log.read_text()
    assert "own/weights.npy, of which plan and record know nothing" in log.read_text()
