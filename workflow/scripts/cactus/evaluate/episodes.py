"""Evaluation episodes: the same for all methods, for each data set, way and shot."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.config.base import DatasetName
from cactus.config.evaluation import EvaluationSettings, FewShotSetting
from cactus.errors import EpisodeError
from cactus.seeding import numpy_generator
from cactus.tasks.episodes import EpisodeBatch, EpisodeSampler, labeled_sampler

# Episodes are drawn in whole blocks of this size, so that the first T are the same for every number
# of tasks; another size gives other episodes. It also bounds the memory to draw and score a batch.
_BLOCK = 100


def evaluation_episodes(
    dataset: DatasetName,
    labels: npt.NDArray[np.integer[Any]],
    setting: FewShotSetting,
    evaluation: EvaluationSettings,
    pool_attributes: int,
) -> list[EpisodeBatch]:
    """Draw the episodes of one way and shot from the true labels of a split.

    They do not depend on the method. With fewer tasks they are the first ones of the same list.

    Parameters
    ----------
    labels
        (N,) classes, or for celeba (N, A) the columns of the attribute set of the split.
    setting
        Way and shot.
    evaluation
        Split, number of tasks, queries per class and seed.
    pool_attributes
        Attributes that define a CelebA task.

    Returns
    -------
    list of EpisodeBatch
        Image indices of all tasks in batches of 100; the last batch may be smaller.

    Raises
    ------
    EpisodeError
        No such episode can be drawn from these labels.
    """
    shape = setting.way, setting.shot, evaluation.query
    try:
        sampler = labeled_sampler(dataset, labels, *shape, pool_attributes)
    except EpisodeError as error:
        where = f"{dataset}, {evaluation.split}, {shape[0]}-way {shape[1]}-shot, {error.where}"
        raise EpisodeError(error.what, where=where, got=error.got, fix=error.fix) from error
    generator = numpy_generator("evaluation", dataset, evaluation.split, *shape, evaluation.seed)
    return list(_draw(sampler, generator, evaluation.tasks))


def _draw(
    sampler: EpisodeSampler, generator: np.random.Generator, tasks: int
) -> Iterator[EpisodeBatch]:
    for start in range(0, tasks, _BLOCK):
        block, wanted = sampler.sample(generator, _BLOCK), tasks - start
        yield EpisodeBatch(block.support[:wanted], block.query[:wanted])


def episodes_sha256(batches: Iterable[EpisodeBatch]) -> str:
    """Return a hash of the image indices, episode by episode; batch sizes do not matter."""
    digest = hashlib.sha256()
    for batch in batches:
        tasks, way, shot = batch.support.shape
        shape = np.broadcast_to(np.array([way, shot, batch.query.shape[2]]), (tasks, 3))
        rows = [shape, batch.support.reshape(tasks, -1), batch.query.reshape(tasks, -1)]
        digest.update(np.concatenate(rows, axis=1).astype("<i8").tobytes())
    return digest.hexdigest()
