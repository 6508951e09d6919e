"""A custom embedding that reads a data file: planned, run, changed, and recomputed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cactus.config.load import parse_config
from cactus.config.models import Config
from cactus.provenance.crate.replay import _JobReplay
from cactus.provenance.records.record import Record, read_record
from cactus.provenance.staleness.open_run import open_planner
from cactus.provenance.staleness.planner import Assessment
from cactus.stages.base import Job
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow

JOB = Job("train_embedding", "mnist/mine/s0")
MODULE = """
import numpy as np
import torch

from cactus.config.sections import base
from projection import project


class Settings(base.Settings):
    weights: str = "vectors/weights.npy"


class Method:
    def __init__(self, settings, shape, seed, device):
        self.weights = np.load(settings.weights)

    def total_steps(self, count):
        return 1

    def fit(self, images, log, checkpoints):
        log.write(1, loss=0.0)

    def encode(self, images):
        return project(images, self.weights)

    def diagnose(self, images, path):
        path.write_bytes(b"\\x89PNG\\r\\n\\x1a\\n")

    def state_dict(self):
        return {"weights": torch.from_numpy(self.weights)}

    def load_state_dict(self, state):
        self.weights = state["weights"].numpy()
"""
HELPER = (
    "def project(images, weights):\n    return images.reshape(len(images), -1) / 255 @ weights\n"
)


@pytest.fixture(scope="module")
def project(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with prepared data, a module, a file beside it and a file that it reads."""
    made = Project.create(tmp_path_factory.mktemp("custom") / "project")
    for part in ("data/mnist", "records/prepare_data"):
        shutil.copytree(finished.run / part, made.run / part)
    (made.folder / "own").mkdir()
    (made.folder / "own/mine.py").write_text(MODULE)
    (made.folder / "own/projection.py").write_text(HELPER)
    (made.folder / "vectors").mkdir()
    write_weights(made)
    return made


def write_weights(project: Project, seed: int = 0) -> None:
    weights = np.random.default_rng(seed).normal(size=(784, 6))
    np.save(project.folder / "vectors/weights.npy", weights)


def config(*files: str) -> Config:
    grid = {
        "datasets": ["mnist"],
        "embeddings": ["mine"],
        "learners": ["protonets"],
        "controls": {"mnist": []},
    }
    custom = {"mine": {"module": "own/mine.py", "files": files}}
    compute = {"device": "cpu", "threads": 1}
    return parse_config(
        {
            "run": "small",
            "synthetic_data": True,
            "compute": compute,
            "grid": grid,
            "embeddings": {"custom": custom},
        }
    )


def assess(project: Project, monkeypatch: pytest.MonkeyPatch, *files: str) -> Assessment:
    """Plan the job as Snakemake would in the project's folder."""
    monkeypatch.chdir(project.folder)
    planner = open_planner(config(*files), Path("results/small"), project.folder)
    planner.write_plan(JOB)
    return planner.assess(JOB)


def run(project: Project) -> subprocess.CompletedProcess[str]:
    script = project.scripts / "train_embedding.py"
    return subprocess.run(
        [sys.executable, str(script), "--plan", f"results/small/plans/{JOB.name}.json"],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": "", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_undeclared_file_stops_the_job_before_its_training(project, monkeypatch):
    assess(project, monkeypatch)
    done = run(project)
    assert done.returncode == 2, done.stderr
    assert "where: embeddings.custom.mine.files" in done.stderr
    assert "got:   vectors/weights.npy, of which plan and record know nothing" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project.run / JOB.folder).exists()


def test_one_vector_too_few_stops_the_job_and_leaves_no_result(project, monkeypatch):
    helper = project.folder / "own/projection.py"
    helper.write_text(
        HELPER.replace(
            "return images.reshape(len(images)", "return images[:-1].reshape(len(images) - 1"
        )
    )
    images = len(np.load(project.run / "data/mnist/train_images.npy"))
    assess(project, monkeypatch, "vectors")
    done = run(project)
    assert done.returncode == 5, done.stderr
    assert "`encode` did not return one vector for each image." in done.stderr
    assert "where: mnist/mine/s0, own/mine.py, split train" in done.stderr
    assert f"got:   shape ({images - 1}, 6) for {images} images" in done.stderr
    assert not (project.run / JOB.folder).exists()
    helper.write_text(HELPER)


@pytest.mark.parametrize("entry", ["vectors", "vectors/*.npy"])
def test_a_declared_file_is_planned_by_its_name(project, monkeypatch, entry: str):
    assert [*assess(project, monkeypatch, entry).plan.declared] == ["vectors/weights.npy"]


@pytest.fixture(scope="module")
def record(project: Project) -> Record:
    """The record of the job, which has run."""
    with pytest.MonkeyPatch.context() as patch:
        assess(project, patch, "vectors/weights.npy")
        done = run(project)
    assert done.returncode == 0, done.stderr
    found = read_record(project.run, JOB)
    assert found is not None
    return found


def test_the_record_lists_declared_files_and_files_beside_the_module(project, record):
    assert [*record.plan.declared] == ["vectors/weights.npy"]
    assert {"own/mine.py", "own/projection.py"} <= {*record.plan.code}
    vectors = np.load(project.run / str(JOB.folder) / "test.npy")
    images = np.load(project.run / "data/mnist/test_images.npy")
    weights = np.load(project.folder / "vectors/weights.npy")
    expected = images.reshape(len(images), -1) / 255 @ weights
    np.testing.assert_allclose(vectors, expected, rtol=1e-4, atol=1e-4)


def test_the_job_is_recomputed_from_what_a_crate_carries(project, record, tmp_path):
    crate = shutil.copytree(
        project.folder, tmp_path / "crate", ignore=shutil.ignore_patterns("own")
    )
    replayed = _JobReplay(crate, crate / "results/small", config(), record, tmp_path / "work").run()
    assert {one.name.rpartition("/")[2] for one in replayed} >= {"train.npy", "encoder.safetensors"}
    assert all(one.equal for one in replayed)


@pytest.mark.usefixtures("record")
def test_a_changed_file_makes_the_job_stale_and_stops_one_that_is_planned(project, monkeypatch):
    found = {str(one) for one in assess(project, monkeypatch, "vectors").reasons}
    assert not {one for one in found if "vectors" in one}
    write_weights(project, seed=1)
    found = {str(one) for one in assess(project, monkeypatch, "vectors").reasons}
    assert "file vectors/weights.npy changed" in found
    write_weights(project, seed=2)
    done = run(project)
    assert done.returncode == 8, done.stderr
    assert "A declared file is not what was planned." in done.stderr
    write_weights(project)


def test_a_linked_module_runs_with_what_is_beside_its_target(project, monkeypatch):
    own, shared = project.folder / "own", project.folder / "shared"
    shared.mkdir()
    (shared / "mine.py").write_text(MODULE)
    (shared / "projection.py").write_text(HELPER)
    (own / "projection.py").write_text("raise ImportError('beside the link')\n")
    (own / "mine.py").unlink()
    (own / "mine.py").symlink_to("../shared/mine.py")
    assessed = assess(project, monkeypatch, "vectors")
    assert {"own/mine.py", "shared/projection.py"} <= {*assessed.plan.code}
    assert "own/projection.py" not in assessed.plan.code
    done = run(project)
    assert done.returncode == 0, done.stderr
