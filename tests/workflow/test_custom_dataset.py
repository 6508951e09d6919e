"""Data sets of one's own: class folders through a whole grid; a table and a module are prepared."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from sklearn.datasets import load_digits

from cactus.data.arrays import load_images, load_manifest, load_sources
from cactus.splits import SPLITS
from tests.unit.data.custom.drawing import KINDS, shape, write_folders, write_table
from tests.workflow.project import ROOT, Project

pytestmark = pytest.mark.workflow

LEARNER = {
    "way": 2,
    "query": 1,
    "iterations": 2,
    "log_every": 1,
    "validation": {"way": 2, "query": 1, "every": 1, "tasks": 2},
}
LEAST = {"min_classes": {"train": 4, "val": 2, "test": 2}, "min_images_per_class": 8}
STUDY = {
    "compute": {"device": "cpu", "threads": 1},
    "grid": {
        "datasets": ["shapes"],
        "embeddings": ["acai"],
        "controls": {"shapes": ["labels"]},
        "exclude": [{"source": "labels", "learner": "maml"}],
    },
    "data": {
        "custom": {
            "shapes": {
                "title": "Colored shapes, 21 pixels",
                "image_size": 21,
                "channels": 3,
                "split": {"shares": [0.5, 0.25, 0.25], "seed": 1},
                **LEAST,
            },
            "listed": {
                "image_size": 20,
                "channels": 1,
                "table": "list.csv",
                "split": {"shares": [0.5, 0.25, 0.25]},
                **LEAST,
            },
            "digits": {
                "image_size": 8,
                "channels": 1,
                "module": "own/digits.py",
                "split": {
                    "classes": {"train": list("0123"), "val": list("456"), "test": list("789")}
                },
            },
        }
    },
    "embeddings": {"acai": {"iterations": 2, "log_every": 1}},
    "partitions": {"clusters": 4, "count": 2, "maml": {"fraction": 0.1}},
    "learners": {"maml": LEARNER, "protonets": LEARNER},
    "evaluation": {"tasks": 4, "query": 2, "settings": [{"way": 2, "shot": 1}]},
    "outputs": {"figures": ["accuracy_grid", "tasks"]},
}
STUDY_FILE = ("--configfile", "config/shapes.yaml")
OTHERS = (
    *STUDY_FILE,
    "--config",
    "run=others",
    "grid={datasets: [listed, digits], learners: [maml]}",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose study has run."""
    project = Project.create(tmp_path_factory.mktemp("custom") / "project")
    write_folders(project.folder / "data/shapes", count=8)
    flat = project.folder / "data/listed"
    flat.mkdir()
    rows = [(f"{kind}{number}.png", kind) for kind in KINDS for number in range(8)]
    with zipfile.ZipFile(flat / "all.zip", "w") as archive:
        for path, kind in rows:
            with archive.open(path, "w") as file:
                shape(kind, int(path[len(kind)])).save(file, "PNG")
    write_table(flat / "list.csv", [("file", "class"), *rows])
    (project.folder / "own").mkdir()
    shutil.copy(ROOT / "docs/examples/digits.py", project.folder / "own/digits.py")
    (project.folder / "config/shapes.yaml").write_text(yaml.safe_dump(STUDY))
    project.snakemake("--cores", "2", config=STUDY_FILE)
    return project


def test_a_whole_run_agrees(made):
    code, text = made.cactus("audit", "shapes")
    assert code == 0, text
    assert "all agree" in text


def test_its_title_is_in_tables_and_figures(made):
    run = made.folder / "results/shapes"
    for table in ("shapes", "shapes-verdicts", "shapes-tests", "partition_quality"):
        assert "Colored shapes, 21 pixels" in (run / f"tables/{table}.tex").read_text()
    cells = json.loads((run / "figures/accuracy_grid.map.json").read_text())["cells"]
    assert cells
    assert all(cell["row"].startswith("Colored shapes, 21 pixels, ") for cell in cells)
    said = "The paper has no numbers for this data set"
    assert said in (run / "tables/shapes-verdicts.tex").read_text()


@pytest.fixture
def raw(made: Project) -> Iterator[Path]:
    """The raw images, to edit; they are restored after the test."""
    folder = made.folder / "data/shapes"
    yield folder
    shutil.rmtree(folder)
    write_folders(folder, count=8)


@pytest.mark.parametrize("change", ["changed", "added", "removed"])
def test_another_image_makes_the_data_stale_and_is_named(made, raw, change):
    if change == "removed":
        (raw / "ring/003.png").unlink()
    else:
        shape("ring", 99).save(raw / f"ring/{'003' if change == 'changed' else '900'}.png")
    name = "ring/900.png" if change == "added" else "ring/003.png"
    code, text = made.cactus("why", "prepare_data/shapes")
    assert f"raw {name} {change}" in text
    assert "prepare_data shapes" in made.stale_jobs(config=STUDY_FILE)
    code, text = made.cactus("audit", "shapes", "--fast")
    assert code != 0
    assert f"raw {name} {change}" in text


def test_hidden_files_and_new_times_change_nothing(made, raw):
    (raw / ".DS_Store").touch()
    (raw / "ring/000.png").touch()
    assert made.stale_jobs(config=STUDY_FILE) == set()


def test_a_class_in_two_splits_stops_the_run_before_its_first_job(made, raw):
    for split, kinds in (("train", KINDS[:4]), ("val", KINDS[4:6]), ("test", KINDS[5:])):
        for kind in kinds:
            shutil.copytree(raw / kind, raw / split / kind)
    for kind in KINDS:
        shutil.rmtree(raw / kind)
    own = "{custom: {shapes: {split: null}}}"
    config = (*STUDY_FILE, "--config", f"data={own}", "run=overlap")
    done = made.run_snakemake("--cores", "1", config=config)
    assert done.returncode != 0
    text = done.stdout + done.stderr
    assert "A class is in two splits." in text
    assert f"class {KINDS[5]}" in text
    assert not (made.folder / "results/overlap/data").exists()


@pytest.mark.parametrize("run", ["fresh", "shapes"])
def test_more_clusters_than_images_stop_a_run_before_its_first_job(made, run):
    """Images are counted in the raw files, or in the arrays of a data set that is prepared."""
    config = (*STUDY_FILE, "--config", "partitions={clusters: 33}", f"run={run}")
    before = sorted((made.folder / "results").rglob("*.npy"))
    done = made.run_snakemake("--cores", "1", config=config)
    assert done.returncode != 0
    text = done.stdout + done.stderr
    assert "where: --config: partitions.clusters (for shapes)\n  got:   33\n" in text
    assert "lower it: the training split of shapes has 32 images" in text
    assert sorted((made.folder / "results").rglob("*.npy")) == before
    assert "Nothing to be done" in made.snakemake("--cores", "1", config=STUDY_FILE)  # as it was


def test_a_table_with_an_archive_and_a_module_give_data(made):
    made.snakemake("data", "--cores", "2", config=OTHERS)
    run = made.folder / "results/others"
    listed = load_manifest(run / "data/listed")
    assert [len(listed.splits[split].classes) for split in SPLITS] == [4, 2, 2]
    sources = load_sources(run / "data/listed")
    assert {one.file for one in sources.raw} == {"all.zip", "list.csv"}
    digits = load_digits()
    wanted = digits.images[np.argsort(digits.target, kind="stable")]
    found = np.asarray(load_images(run / "data/digits", "train"))[..., 0]
    np.testing.assert_array_equal(found, np.round(wanted[: len(found)] * 255 / 16))
    assert made.stale_jobs("data", config=OTHERS) == set()
    module = made.folder / "own/digits.py"
    text = module.read_text()
    module.write_text(text.replace("255 / 16", "240 / 16"))
    try:
        assert "prepare_data digits" in made.stale_jobs("data", config=OTHERS)
    finally:
        module.write_text(text)
    with zipfile.ZipFile(made.folder / "data/listed/all.zip", "a") as archive:
        archive.writestr("README.txt", "")
    assert "prepare_data listed" in made.stale_jobs("data", config=OTHERS)


def test_a_file_that_a_module_does_not_declare_is_refused(made):
    np.save(made.folder / "own/images.npy", np.zeros((2, 8, 8), np.uint8))
    module = made.folder / "own/digits.py"
    text = module.read_text()
    module.write_text(text.replace("found = load_digits()", "np.load('own/images.npy')"))
    try:
        done = made.run_snakemake("data", "--cores", "1", config=(*OTHERS, "run=undeclared"))
    finally:
        module.write_text(text)
    assert done.returncode != 0
    log = (made.folder / "results/undeclared/logs/prepare_data/digits.log").read_text()
    assert "where: data.custom.digits.files" in log
    assert "own/images.npy" in log


def test_another_run_takes_its_arrays_over_unless_an_image_changed(made):
    image = next((made.folder / "data/shapes").rglob("*.png"))
    content = image.read_bytes()

    def reused(run: str) -> bool:
        made.snakemake("data", "--cores", "1", config=(*STUDY_FILE, "--config", f"run={run}"))
        record = made.folder / f"results/{run}/records/prepare_data/shapes.json"
        return bool(json.loads(record.read_text())["reused"])

    assert reused("same")
    try:
        Image.open(image).point(lambda level: 255 - level).save(image)
        assert not reused("negative")
    finally:
        image.write_bytes(content)


def test_an_image_with_another_name_is_prepared_again_and_trains_nothing(made, raw):
    run = made.folder / "results/shapes"

    def trained() -> dict[Path, int]:
        kinds = ("*.npy", "*.safetensors", "accuracies.csv")
        found = (path for kind in kinds for path in run.rglob(kind) if "data" not in path.parts)
        return {path: path.stat().st_mtime_ns for path in found}

    before = trained()
    (raw / "ring/003.png").rename(raw / "ring/003-renamed.png")
    code, text = made.cactus("update", "shapes", "--", "--cores", "2")
    assert code == 0, text
    names = (path.read_text() for path in (run / "data/shapes").glob("*_names.txt"))
    assert any("003-renamed.png" in text for text in names)
    assert before
    assert trained() == before
    code, text = made.cactus("audit", "shapes")
    assert code == 0, text
