"""Vectors that were made elsewhere go through the grid, by the pixels or names of their images."""

from pathlib import Path

import numpy as np
import pytest

from tests.workflow.project import CONFIG, Project

pytestmark = pytest.mark.workflow

STUDY = """
run: small
grid: {datasets: [mnist], embeddings: [mine, named], learners: [protonets], controls: {mnist: []},
  seeds: [0], exclude: []}
embeddings:
  custom:
    mine:
      vectors: {train: vectors/mnist_5_train.npz, val: vectors/mnist_5_val.npz,
        test: vectors/mnist_5_test.npz}
    named:
      vectors: {train: vectors/train.npy, val: vectors/val.npy, test: vectors/test.npy,
        names: {train: vectors/train.txt, val: vectors/val.txt, test: vectors/test.txt}}
"""


def encode(project: Project, seed: int) -> dict[str, np.ndarray]:
    """Write vectors, shuffled, beside images as the original release has them, and beside names."""
    random = np.random.default_rng(seed)
    axes, encoded = random.normal(size=(784, 5)), {}
    for split in ("train", "val", "test"):
        images = np.load(project.run / f"data/mnist/{split}_images.npy")
        encoded[split] = (images.reshape(len(images), -1) / 255 @ axes).astype(np.float32)
        order = random.permutation(len(images))
        (project.folder / "vectors").mkdir(exist_ok=True)
        labels = np.load(project.run / f"data/mnist/{split}_labels.npy")
        file = project.folder / f"vectors/mnist_5_{split}.npz"
        np.savez(file, X=images[order], Y=labels[order], Z=encoded[split][order])
        np.save(project.folder / f"vectors/{split}.npy", encoded[split][order])
        names = (project.run / f"data/mnist/{split}_names.txt").read_text().splitlines()
        listed = project.folder / f"vectors/{split}.txt"
        listed.write_text("".join(f"{names[place]}\n" for place in order))
    return encoded


def test_they_are_trained_on_audited_and_stale_when_a_file_changes(
    finished: Project, tmp_path: Path
):
    project = finished.copy(tmp_path / "project")
    study = project.folder / "ready.yaml"
    study.write_text(STUDY)
    config = (*CONFIG, str(study))
    encoded = encode(project, seed=0)
    project.snakemake("--cores", "2", config=config)
    for split, vectors in encoded.items():
        for name in ("mine", "named"):
            found = np.load(project.run / f"embeddings/mnist/{name}/s0/{split}.npy")
            assert np.array_equal(found, vectors)
    code, output = project.cactus("audit", "small")
    assert code == 0, output
    table = "results/small/tables/mnist.tex"
    code, output = project.cactus("trace", table, "--row", "mine ProtoNets", "--col", "10w1s")
    assert "vectors/mnist_5_val.npz" in output, output
    assert project.stale_jobs(config=config) == set()

    encode(project, seed=1)
    code, output = project.cactus("why", "train_embedding/mnist/mine/s0")
    assert "file vectors/mnist_5_train.npz changed" in output, output
    code, output = project.cactus("why", "train_embedding/mnist/named/s0")
    assert "file vectors/train.txt changed" in output, output
    stale = project.stale_jobs(config=config)
    assert {"train_embedding mnist/mine/s0", "meta_train mnist/mine/protonets/s0"} <= stale
    assert not {job for job in stale if job.startswith("prepare_data")}


def test_images_of_another_size_are_refused_by_the_job(finished: Project, tmp_path: Path):
    project = finished.copy(tmp_path / "project")
    study = project.folder / "ready.yaml"
    study.write_text(STUDY)
    encode(project, seed=0)
    file = project.folder / "vectors/mnist_5_val.npz"
    held = dict(np.load(file))
    np.savez(file, **{**held, "X": held["X"][:, 1:]})
    done = project.run_snakemake("--cores", "1", "embeddings", config=(*CONFIG, str(study)))
    assert done.returncode != 0
    assert "The images of ready-made vectors have another shape." in done.stdout + done.stderr
    assert not (project.run / "embeddings/mnist/mine").exists()
    file.unlink()
    done = project.run_snakemake("--dry-run", config=(*CONFIG, str(study)))
    assert "vectors/mnist_5_val.npz: no such file" in done.stdout + done.stderr
