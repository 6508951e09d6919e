"""Score the model of one cell of the grid on the evaluation episodes."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cactus.data.arrays import load_images
from cactus.evaluate.confusion import CONFUSION_FILE, Confusion
from cactus.evaluate.episodes import episodes_sha256, evaluation_episodes
from cactus.evaluate.statistics import SettingResult, TaskAccuracies, check_results, write_results
from cactus.meta.base import MetaLearner, cut, position_accuracies
from cactus.meta.registry import build, from_scratch, parse
from cactus.meta.store import load_model
from cactus.seeding import derive_seed
from cactus.stages.evaluate_model import EvaluateModelSpec
from cactus.tasks.episodes import EpisodeBatch
from cactus.tasks.labels import task_labels
from cactus.train.device import describe_device, set_up_device
from cactus.train.images import resident_images

Report = Callable[[str], None]


def evaluate_cell(
    spec: EvaluateModelSpec,
    data_folder: Path,
    model_folder: Path | None,
    output: Path,
    report: Report,
) -> None:
    """Score a cell's model on every way and shot of its data set.

    In the first of them, count which classes it confuses, unless tasks are made of attributes.

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
        Receives progress lines.
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
    cell = spec.model_dump(include={"dataset", "source", "learner", "seed"})
    height, width, channels = images.shape[1:]
    seed = derive_seed("weights", spec.seed)
    shape = (height, width, channels)
    settings, speed = parse(spec.learner, spec.settings, spec.speed)
    if spec.scratch is not None:
        settings = from_scratch(spec.learner, settings, spec.scratch)
    learner = build(spec.learner, settings, speed, shape, seed=seed, device=device)
    if model_folder is not None:
        load_model(learner, model_folder, **cell)
    confusion = Confusion(labels if labels.ndim == 1 else None)
    resident = resident_images(images, device)
    results = evaluate_model(learner, resident, episodes, report, confusion)
    check_results(results, spec.evaluation)
    confusion.write(output / CONFUSION_FILE)
    write_results(output, results, {**cell, "device": describe_device(device)})


def evaluate_model(
    learner: MetaLearner,
    images: Tensor,
    episodes: Mapping[tuple[int, int], Sequence[EpisodeBatch]],
    report: Report,
    confusion: Confusion | None = None,
) -> list[SettingResult]:
    """Score one model on every way and shot.

    Parameters
    ----------
    learner
        The model, on its device.
    images
        uint8 (N, H, W, C), the split's images on the same device.
    episodes
        The episodes of each way and shot, in batches of any size.
    report
        Receives a progress line after every tenth of the episodes.
    confusion
        Counts the predictions in the first way and shot.

    Returns
    -------
    list of SettingResult
        In the order of `episodes`.

    Raises
    ------
    EpisodeError
        An episode has more classes than the model's head.
    """
    results: list[SettingResult] = []
    for (way, shot), batches in episodes.items():
        batch = _joined(batches)
        report(f"{way}-way {shot}-shot: {len(batch.support)} episodes")
        counted = confusion if not results else None
        accuracies = _accuracies(learner, images, batch, report, counted)
        scores = TaskAccuracies(way, shot, accuracies)
        results.append(SettingResult(scores, batch.query.shape[2], episodes_sha256([batch])))
    return results


def _accuracies(
    learner: MetaLearner,
    images: Tensor,
    batch: EpisodeBatch,
    report: Report,
    confusion: Confusion | None,
) -> npt.NDArray[np.float64]:
    """Return the accuracy of each episode, float64 (T,)."""
    total, done = len(batch.support), 0
    scores = []
    for part in cut(batch, learner.episodes_at_once(batch)):
        positions = learner.predicted_positions(images, part)
        scores.append(position_accuracies(positions))
        if confusion is not None:
            confusion.add(part, positions.cpu().numpy())
        before, done = done, done + len(part.support)
        if 10 * done // total > 10 * before // total:
            report(f"  {done} of {total}")
    return torch.cat(scores).cpu().numpy()


def _joined(batches: Sequence[EpisodeBatch]) -> EpisodeBatch:
    """Join batches: the learner decides how many episodes it scores at once."""
    return EpisodeBatch(
        np.concatenate([batch.support for batch in batches]),
        np.concatenate([batch.query for batch in batches]),
    )
