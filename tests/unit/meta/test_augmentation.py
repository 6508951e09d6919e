import copy

import numpy as np
import pytest
import torch

from cactus.config.sections.learners.base import AugmentationSettings
from cactus.config.sections.learners.maml import MamlSettings
from cactus.errors import ConfigError
from cactus.meta.augmentation import Augmentation, with_instance_tasks
from cactus.meta.train import TrainState, meta_train, train_step
from cactus.tasks.episodes import EpisodeBatch
from tests.unit.checkpoints import none
from tests.unit.meta.tiny import learner, task_source

DRAWS = np.random.default_rng(0)  # of instance tasks, where there are some
CPU = torch.device("cpu")
SHAPE = (16, 16, 1)
VIEWS = {"rotation": 20, "scale": 0.2, "elastic": 0.05}


def _images(count=40, size=6, channels=3):
    generator = torch.Generator().manual_seed(0)
    shape = (count, size, size, channels)
    return torch.randint(256, shape, generator=generator, dtype=torch.uint8)


def _batch(images=40, tasks=3, way=4, shot=2, query=3):
    generator = np.random.default_rng(1)
    chosen = generator.integers(images, size=(tasks, way, shot + query))
    return EpisodeBatch(chosen[:, :, :shot], chosen[:, :, shot:])


def _augmentation(seed=0, **keys):
    return Augmentation(AugmentationSettings(**keys), seed, CPU)


def test_episodes_index_the_same_images_when_nothing_changes():
    images, batch = _images(), _batch()
    changed, episodes = _augmentation()(images, batch, DRAWS)
    for before, after in zip(
        (batch.support, batch.query), (episodes.support, episodes.query), strict=True
    ):
        assert torch.equal(images[torch.from_numpy(before)], changed[torch.from_numpy(after)])


def test_the_places_of_queries_differ_between_steps():
    images, batch = _images(41), _batch()
    another = EpisodeBatch(batch.support + 1, batch.query)
    first, again, other = (
        _augmentation()(images, one, DRAWS)[1].query for one in (batch, batch, another)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_class_is_turned_alike_and_classes_apart():
    images, batch = _images(), _batch(tasks=30)
    changed, episodes = _augmentation(quarter_turns=True)(images, batch, DRAWS)
    before = np.concatenate([batch.support, batch.query], axis=2).reshape(120, 5)
    after = np.concatenate([episodes.support, episodes.query], axis=2).reshape(120, 5)
    turns = []
    for old, new in zip(before, after, strict=True):
        found = [
            turn
            for turn in range(4)
            if torch.equal(images[torch.from_numpy(old)].rot90(turn, (1, 2)), changed[new])
        ]
        assert len(found) == 1
        turns += found
    counts = np.bincount(turns, minlength=4)
    assert counts.min() > 15  # of 120, 30 of each are expected


def test_images_of_a_class_get_views_of_their_own():
    images = _images()
    same = EpisodeBatch(np.zeros((1, 2, 1), np.int64), np.zeros((1, 2, 4), np.int64))
    changed, _ = _augmentation(**VIEWS)(images, same, DRAWS)
    assert len({image.numpy().tobytes() for image in changed}) == 10


def test_changed_images_stay_at_one_address():
    images, augmentation = _images(), _augmentation(rotation=30)
    first, _ = augmentation(images, _batch(), DRAWS)
    pixels, address = first.clone(), first.data_ptr()
    second, _ = augmentation(images, _batch(), DRAWS)
    assert second.data_ptr() == address
    assert not torch.equal(second, pixels)


def test_all_classes_of_an_instance_task_are_one_image_each():
    batch = with_instance_tasks(_batch(tasks=50), 1.0, 40, np.random.default_rng(0))
    classes = np.concatenate([batch.support, batch.query], axis=2)
    assert (classes == classes[:, :, :1]).all()
    assert all(len(set(row)) == 4 for row in classes[:, :, 0].tolist())


def test_a_share_of_the_episodes_becomes_instance_tasks():
    before = _batch(images=10_000, tasks=4000)
    after = with_instance_tasks(before, 0.3, 10_000, np.random.default_rng(0))
    kept = (after.support == before.support).all((1, 2))
    assert (after.query == before.query).all((1, 2)).tolist() == kept.tolist()
    assert 1 - kept.mean() == pytest.approx(0.3, abs=0.03)  # 4 standard deviations


def test_instance_tasks_without_views_are_refused():
    with pytest.raises(ValueError, match="would all be the same"):
        AugmentationSettings(instance_tasks=0.5)
    with pytest.raises(ValueError, match="would all be the same"):
        AugmentationSettings(instance_tasks=0.5, quarter_turns=True)
    for idle in ({"blur_probability": 0.9}, {"blur_sigma": 2.0, "blur_probability": 0.0}):
        assert not AugmentationSettings(**idle).active
        with pytest.raises(ValueError, match="would all be the same"):
            AugmentationSettings(instance_tasks=0.5, **idle)
    assert AugmentationSettings(instance_tasks=0.5, flip=True).active


def test_only_training_reads_these_keys():
    changed = MamlSettings(augmentation={"rotation": 20})
    assert changed.for_scoring() == MamlSettings().for_scoring()


def test_changes_of_color_are_refused_for_gray_images(tmp_path):
    model = learner("protonets", shape=SHAPE, augmentation={"jitter": 0.5})
    with pytest.raises(ConfigError, match=r"learners\.protonets\.augmentation\.jitter"):
        _train(model, tmp_path)


def _train(model, folder):
    meta_train(
        model,
        task_source(shape=SHAPE),
        None,
        folder,
        seed=0,
        label="tiny",
        record={},
        checkpoints=none(folder),
    )


@pytest.mark.parametrize("name", ["maml", "protonets"])
def test_training_continues_with_the_changes_that_come_next(name):
    keys = {**VIEWS, "quarter_turns": True, "instance_tasks": 0.5}
    source = task_source(shape=SHAPE)

    def start():
        return TrainState.start(learner(name, shape=SHAPE, augmentation=keys), 0)

    straight, resumed = start(), start()
    for _ in range(2):
        train_step(straight, source)
    saved = copy.deepcopy(straight.training_state())
    losses = [train_step(straight, source).loss for _ in range(2)]
    resumed.load_training_state(saved)
    assert [train_step(resumed, source).loss for _ in range(2)] == losses


def test_changes_need_to_be_asked_for():
    source = task_source(shape=SHAPE)
    plain = TrainState.start(learner("protonets", shape=SHAPE), 0)
    changed = TrainState.start(learner("protonets", shape=SHAPE, augmentation=VIEWS), 0)
    assert plain.augmentation is None
    assert train_step(plain, source).loss != train_step(changed, source).loss
