"""Variants of partitions and models of one way, from the configuration to the crate."""

import csv
import json
import zipfile

import pytest

from tests.workflow.project import Project

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

STUDY = """\
run: small
synthetic_data: true
compute: {device: cpu, threads: 1}
grid:
  datasets: [omniglot]
  embeddings: [acai]
  learners: [protonets]
  controls:
    omniglot: [random, random+5-way, acai+k-30, pixels+reference, hyperplanes-acai+margin-0,
      hyperplanes-acai+wide]
synthetic:
  omniglot: {background_alphabets: 5, evaluation_alphabets: 2, characters: 10}
data:
  omniglot: {train_characters: 50, val_characters: 8}
embeddings: {acai: {iterations: 4}}
partitions:
  count: 2
  random: {count: 2}
  hyperplanes: {count: 2, planes: 20}
  variants:
    k-30: {clusters: 30}
    reference: {kmeans: scikit-learn, clusters: 20}
    wide: {hyperplanes: {margin: 30.0}}
learners: {protonets: {iterations: 3, way: 6, query: 5, validation: {every: 5, tasks: 5}}}
evaluation: {tasks: 10, settings: [{way: 5, shot: 1}, {way: 6, shot: 1}]}
outputs: {figures: [accuracy_grid]}
"""
CONFIG = ("--configfile", "study.yaml")
CELLS = ["acai", "acai+k-30", "hyperplanes-acai+margin-0", "hyperplanes-acai+wide",
         "pixels+reference", "random", "random+5-way"]  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project.create(tmp_path_factory.mktemp("variants") / "project")
    (made.folder / "study.yaml").write_text(STUDY)
    made.snakemake("--cores", "2", config=CONFIG)
    return made


def test_each_source_has_its_results_and_a_row(project: Project):
    with (project.run / "tables/results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sorted({row["source"] for row in rows}) == CELLS
    ways = {row["way"] for row in rows if row["source"] == "random+5-way"}
    assert ways == {"5"}
    text = (project.run / "tables/omniglot.tex").read_text()
    for title in ("ACAI, k = 30", "Pixels, reference", "Hyperplanes (ACAI), margin 0"):
        assert title in text
    assert "Hyperplanes (ACAI), wide, ProtoNets: too few hyperplanes keep a margin of 30" in text
    assert "Random assignment: the numbers for 5-way tasks" in text
    folder = project.run / "partitions/omniglot"
    wide = json.loads((folder / "hyperplanes-acai+wide/protonets/s0/summary.json").read_text())
    assert wide["margin"] < wide["margin_asked"] == 30.0


def test_the_audit_agrees_and_the_crate_holds_the_files(project: Project):
    code, output = project.cactus("audit", "small")
    assert code == 0, output
    code, output = project.cactus("export", "small", "--output", "crate.zip")
    assert code == 0, output
    names = zipfile.ZipFile(project.folder / "crate.zip").namelist()
    assert any("/models/omniglot/acai+k-30/protonets/s0/" in name for name in names)


def test_an_edited_variant_makes_its_own_cells_stale(project: Project):
    study = project.folder / "study.yaml"
    study.write_text(STUDY.replace("wide:", "idle: {count: 9}\n    wide:"))
    refused = project.run_snakemake("--dry-run", config=CONFIG)
    assert refused.returncode != 0
    assert "a variant that no task source uses" in refused.stdout + refused.stderr
    study.write_text(STUDY.replace("scikit-learn, clusters: 20", "scikit-learn, clusters: 19"))
    stale = project.stale_jobs(config=CONFIG)
    cells = {job for job in stale if "/" in job}
    assert cells == {
        f"{stage} omniglot/pixels+reference/protonets/s0"
        for stage in ("make_partitions", "measure_partitions", "meta_train", "evaluate_model")
    }
    code, output = project.cactus("why", "make_partitions/omniglot/pixels+reference/protonets/s0")
    assert code == 1, output
    assert "clusters" in output
    study.write_text(STUDY)
    code, output = project.cactus(
        "config", "small", "omniglot/pixels+reference/protonets/s0", "clusters"
    )
    assert code == 0, output
    assert "20" in output
    assert "study.yaml" in output
