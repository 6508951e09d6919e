"""Accuracies of a trained meta-learner on the evaluation episodes."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cactus.evaluate.episodes import episodes_sha256
from cactus.evaluate.statistics import SettingResult, TaskAccuracies
from cactus.meta.base import MetaLearner, cut
from cactus.tasks.episodes import EpisodeBatch

WayShot = tuple[int, int]


def evaluate_model(
    learner: MetaLearner,
    images: Tensor,
    episodes: Mapping[WayShot, Sequence[EpisodeBatch]],
    report: Callable[[str], None],
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

    Returns
    -------
    list of SettingResult
        In the order of `episodes`.

    Raises
    ------
    EpisodeError
        An episode has more classes than the model's head.
    """
    results = []
    for (way, shot), batches in episodes.items():
        batch = _joined(batches)
        report(f"{way}-way {shot}-shot: {len(batch.support)} episodes")
        accuracies = _accuracies(learner, images, batch, report)
        scores = TaskAccuracies(way, shot, accuracies)
        results.append(SettingResult(scores, batch.query.shape[2], episodes_sha256([batch])))
    return results


def _accuracies(
    learner: MetaLearner, images: Tensor, batch: EpisodeBatch, report: Callable[[str], None]
) -> npt.NDArray[np.float64]:
    """Return the accuracy of each episode, float64 (T,)."""
    total, done = len(batch.support), 0
    scores = []
    for part in cut(batch, learner.episodes_at_once(batch)):
        scores.append(learner.accuracies(images, part))
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
