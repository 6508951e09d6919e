"""A GPU that is not there: refused before any job where it is required or should be there."""

import json

import pytest
import torch

from tests.workflow.project import Project

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device"),
]
CELL = "omniglot/acai/s0"
TARGET = f"results/small/embeddings/{CELL}/manifest.json"


def test_a_required_gpu_is_missed_before_any_job(project: Project):
    before = json.loads((project.run / f"records/train_embedding/{CELL}.json").read_text())
    done = project.run_snakemake(TARGET, "--cores", "1", "--config", "compute={device: cuda}")
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert "There is no usable CUDA device." in text
    assert "where: compute.device: cuda" in text
    assert "attempt" not in text
    assert json.loads((project.run / f"records/train_embedding/{CELL}.json").read_text()) == before


@pytest.mark.parametrize("hidden", [False, True])
def test_a_gpu_that_should_be_there_is_missed_before_any_job(project: Project, hidden: bool):
    project.environment = {"CUDA_VISIBLE_DEVICES": "" if hidden else "0"}
    options = ("--cores", "1", "--config", "compute={device: auto, threads: 1}")
    done = project.run_snakemake(TARGET, *options)
    text = done.stdout + done.stderr
    assert (done.returncode == 0) == hidden, text
    assert ("There is no usable CUDA device." in text) != hidden
    assert ("GPU 0, but PyTorch" in text) != hidden
    record = json.loads((project.run / f"records/train_embedding/{CELL}.json").read_text())
    if hidden:
        assert record["agent"]["device"]["device"] == "cpu"
        (processor,) = record["activity"]["processors"]
        assert processor["torch"] == record["agent"]["device"]["cpu"]
    else:
        assert "attempt" not in text
