"""Captions tell of what a figure of a run shows, and of nothing else."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from cactus.config.sections.outputs import OutputSettings
from cactus.paper.draw.registry import FIGURES, PER_DATASET, draw
from tests.unit.paper.conftest import Run
from tests.unit.paper.figures.drawing import figure_inputs


def caption(run: Run, name: str, dataset: str | None = "omniglot") -> str:
    inputs = figure_inputs(run, dataset if name in PER_DATASET else None)
    text: str = import_module(f"cactus.paper.figures.{name}").caption(inputs)
    return text


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_one_that_is_made_of_sentences(seeds_run: Run, name: str):
    text = caption(seeds_run, name)
    assert text[0].isupper()
    assert text.endswith(".")
    assert "_" not in text
    assert "  " not in text


def test_the_map_has_the_caption(small_run: Run, tmp_path: Path):
    draw("purity", small_run.folder, tmp_path / "purity", OutputSettings(dpi=50), "omniglot")
    content = json.loads((tmp_path / "purity.map.json").read_text())
    assert content["caption"] == caption(small_run, "purity")


def test_only_several_seeds_have_bands(small_run: Run, seeds_run: Run):
    assert caption(small_run, "training_curves") == (
        "Losses of ACAI; loss and validation accuracy of MAML, over the steps of training."
    )
    assert caption(seeds_run, "training_curves").endswith(" Bands span the training seeds.")


def test_only_several_meta_learners_have_blocks(small_run: Run, seeds_run: Run):
    assert "block" not in caption(small_run, "accuracy_grid")
    assert "a block for each meta-learner" in caption(seeds_run, "accuracy_grid")


def test_competitors_are_those_of_the_figure(small_run: Run, seeds_run: Run):
    assert "minus that of kNN, linear classifier, MLP with dropout and cluster matching, " in (
        caption(small_run, "differences")
    )
    assert "minus that of training from scratch, Base, " in caption(seeds_run, "differences")


def test_confused_classes_are_a_matrix_or_pairs(matrix_run: Run, pairs_run: Run):
    matrix, pairs = (caption(run, "confusion") for run in (matrix_run, pairs_run))
    assert "row's class" in matrix
    assert "confuses most" not in matrix
    assert "confuses most" in pairs
    assert "row's class" not in pairs


def test_partitions_are_told_by_the_panels_that_the_figure_has(seeds_run: Run):
    assert caption(seeds_run, "partitions") == (
        "Accuracy in tasks of 5-way 1-shot against the number of partitions and the purity of the "
        "clusters. Bars are 95 % intervals: of the accuracy, over the tasks; of the purity, ±1.96 "
        "standard errors over the partitions. Lines join cells that differ in nothing else."
    )
    assert "Bars are ±1.96 standard errors over the partitions." in caption(seeds_run, "purity")
