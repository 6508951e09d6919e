"""Evaluate one cell of the grid."""

from collections.abc import Callable
from pathlib import Path

from cactus.config.sections.learners import MamlSettings, ProtonetsSettings
from cactus.data.arrays import load_images
from cactus.evaluate.episodes import evaluation_episodes
from cactus.evaluate.models import evaluate_model
from cactus.evaluate.statistics import write_results
from cactus.meta.registry import build
from cactus.meta.store import load_model
from cactus.seeding import derive_seed
from cactus.stages.evaluate_model import EvaluateModelSpec
from cactus.tasks.labels import task_labels
from cactus.train.device import describe_device, set_up_device
from cactus.train.images import resident_images


def evaluate_cell(
    spec: EvaluateModelSpec,
    data_folder: Path,
    model_folder: Path | None,
    output: Path,
    report: Callable[[str], None],
) -> None:
    """Score a cell's model on every way and shot of its data set.

    Parameters
    ----------
    spec
        The cell and its settings.
    data_folder
        A prepared data set.
    model_folder
        The trained model, or None for the from-scratch row, which starts from random weights.
    output
        Folder of the evaluation.
    report
        Takes a line about progress.
    """
    compute = spec.compute
    device = set_up_device(compute.device, compute.threads, deterministic=compute.deterministic)
    images = load_images(data_folder, spec.evaluation.split)
    labels = task_labels(data_folder, spec.evaluation.split)
    episodes = {
        (setting.way, setting.shot): evaluation_episodes(
            spec.dataset, labels, setting, spec.evaluation, spec.pool_attributes
        )
        for setting in spec.evaluation.settings
    }
    height, width, channels = images.shape[1:]
    seed = derive_seed("weights", spec.seed)
    shape = (height, width, channels)
    learner = build(spec.learner, _settings(spec), spec.speed, shape, seed=seed, device=device)
    if model_folder is not None:
        load_model(learner, model_folder)
    results = evaluate_model(learner, resident_images(images, device), episodes, report)
    cell = spec.model_dump(include={"dataset", "source", "learner", "seed"})
    write_results(output, results, {**cell, "device": describe_device(device)})


def _settings(spec: EvaluateModelSpec) -> MamlSettings | ProtonetsSettings:
    """Return the learner's settings; the from-scratch row has its own number of steps."""
    if spec.scratch is not None and isinstance(spec.settings, MamlSettings):
        return spec.scratch.apply(spec.settings)
    return spec.settings
