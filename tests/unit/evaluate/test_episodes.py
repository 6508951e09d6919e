from itertools import pairwise

import numpy as np
import pytest

from cactus.config.sections.evaluation import EvaluationSettings, FewShotSetting
from cactus.errors import EpisodeError
from cactus.evaluate.episodes import episodes_sha256, evaluation_episodes
from cactus.tasks.episodes import EpisodeBatch

LABELS = np.repeat(np.arange(12), 9)


def draw(
    *,
    labels: np.ndarray = LABELS,
    way: int = 4,
    shot: int = 2,
    query: int = 3,
    tasks: int = 230,
    seed: int = 0,
    split: str = "test",
) -> list[EpisodeBatch]:
    values = {"tasks": tasks, "query": query, "seed": seed, "split": split, "per_dataset": {}}
    evaluation = EvaluationSettings.model_validate(values)
    setting = FewShotSetting(way=way, shot=shot)
    return evaluation_episodes("omniglot", labels, setting, evaluation, 3)


def joined(batches: list[EpisodeBatch]) -> np.ndarray:
    return np.concatenate([np.concatenate([b.support, b.query], axis=2) for b in batches])


def test_images_are_distinct_and_of_the_class_of_their_row() -> None:
    batches = draw()
    assert [len(batch.support) for batch in batches] == [100, 100, 30]
    indices = joined(batches)
    assert indices.shape == (230, 4, 5)
    assert indices.dtype == np.int64
    for episode in indices:
        assert len(np.unique(episode)) == episode.size
        classes = LABELS[episode]
        assert (classes == classes[:, :1]).all()
        assert len(np.unique(classes[:, 0])) == 4


@pytest.mark.parametrize("size", [1, 7, 230])
def test_hash_does_not_depend_on_batches(size: int) -> None:
    indices = joined(draw())
    batches = [
        EpisodeBatch(indices[start : start + size, :, :2], indices[start : start + size, :, 2:])
        for start in range(0, 230, size)
    ]
    assert episodes_sha256(batches) == episodes_sha256(draw())


@pytest.mark.parametrize("tasks", [2, 99, 100, 101])
def test_fewer_tasks_are_the_first_ones(tasks: int) -> None:
    np.testing.assert_array_equal(joined(draw(tasks=tasks)), joined(draw())[:tasks])


def test_episodes_depend_on_seed_split_and_setting() -> None:
    batches = [
        draw(),
        draw(seed=1),
        draw(split="val"),
        draw(way=5),
        draw(shot=3, query=2),
        draw(query=4),
        draw(tasks=229),
    ]
    hashes = {episodes_sha256(one) for one in batches}
    assert len(hashes) == len(batches)
    np.testing.assert_array_equal(joined(draw(seed=3)), joined(draw(seed=3)))


def test_hash_tells_support_from_query() -> None:
    batch = draw(tasks=3)[0]
    moved = EpisodeBatch(
        np.concatenate([batch.support, batch.query[:, :, :1]], axis=2), batch.query[:, :, 1:]
    )
    swapped = EpisodeBatch(batch.support[::-1], batch.query[::-1])
    hashes = [episodes_sha256([one]) for one in (batch, moved, swapped)]
    assert len(set(hashes)) == 3


def test_class_order_is_random() -> None:
    first = LABELS[joined(draw(tasks=1000))[:, :, 0]]
    ascending = np.mean([all(a < b for a, b in pairwise(row)) for row in first])
    assert ascending == pytest.approx(1 / 24, abs=0.03)


@pytest.mark.parametrize(
    ("labels", "way", "shot"),
    [(LABELS, 13, 1), (LABELS, 4, 7), (np.append(LABELS, 12), 4, 2)],
    ids=["way above the classes", "classes too small", "one class too small"],
)
def test_impossible_settings_name_the_place(labels: np.ndarray, way: int, shot: int) -> None:
    with pytest.raises(EpisodeError) as caught:
        draw(labels=labels, way=way, shot=shot)
    assert f"omniglot, test, {way}-way {shot}-shot" in caught.value.where
