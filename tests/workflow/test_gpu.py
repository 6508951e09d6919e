"""A GPU that is not there: refused before any job where it is required, else noted."""

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


def test_a_gpu_that_cannot_be_used_is_noted_in_log_record_and_status(project: Project):
    project.environment = {"CUDA_VISIBLE_DEVICES": "0"}
    options = ("--cores", "1", "--config", "compute={device: auto, threads: 1}")
    project.snakemake(TARGET, *options)
    note = "no GPU is used: CUDA_VISIBLE_DEVICES is 0, but PyTorch"
    record = json.loads((project.run / f"records/train_embedding/{CELL}.json").read_text())
    assert record["agent"]["device"]["device"] == "cpu"
    assert record["activity"]["unused_gpu"].startswith(note)
    (processor,) = record["activity"]["processors"]
    assert processor["torch"] == record["agent"]["device"]["cpu"]
    assert f"note: {note}" in (project.run / f"logs/train_embedding/{CELL}.log").read_text()
    (line,) = [
        one
        for one in project.cactus("status", "small", "--jobs")[1].splitlines()
        if one.startswith(f"train_embedding/{CELL} ")
    ]
    assert "fresh" in line
    assert note in line
