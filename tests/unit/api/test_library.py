"""The public interface of the package: what a notebook does with it."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from cactus.api import (
    Dataset,
    KMeansPartitions,
    LabeledImages,
    Maml,
    ProtoNets,
    Scores,
    load_dataset,
    load_vectors,
    sample_episodes,
)
from cactus.data.array_files import write_array
from cactus.data.arrays import Manifest, SplitRecord, array_record, write_labels, write_manifest
from cactus.errors import ConfigError, DataError, EpisodeError
from cactus.files import write_json
from cactus.meta.protonets.learner import Protonets

SMALL = {"filters": 8, "way": 4, "query": 3, "iterations": 12, "log_every": 4, "device": "cpu"}


def classes(count: int = 6, each: int = 12, side: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Return images of blurred templates and their classes: easy, but not trivial."""
    random = np.random.default_rng(0)
    templates = np.kron(random.integers(0, 2, (count, side // 4, side // 4)), np.ones((4, 4)))
    labels = np.repeat(np.arange(count), each)
    images = 150 * templates[labels] + random.uniform(0, 100, (len(labels), side, side))
    return images.astype(np.uint8)[..., None], labels


def test_partitions_follow_the_classes_of_separated_vectors():
    labels = np.repeat(np.arange(5), 30)
    vectors = 20.0 * np.eye(5)[labels] + np.random.default_rng(0).normal(size=(150, 5))
    found = KMeansPartitions(5, 4, min_size=10).fit(vectors).labels_
    assert found.shape == (4, 150)
    assert all(len(np.unique(one[one >= 0])) <= 5 and one.max() < 5 for one in found)
    first = found[0]
    assert {tuple(np.unique(first[labels == label])) for label in range(5)} == {
        (cluster,) for cluster in range(5)
    }


def test_partitions_are_an_estimator_of_scikit_learn():
    vectors = np.random.default_rng(0).normal(size=(200, 4))
    one = KMeansPartitions(n_clusters=6, n_partitions=2, min_size=5, random_state=3)
    again = clone(one).fit(vectors).labels_
    assert np.array_equal(one.fit(vectors).labels_, again)
    assert one.get_params()["n_clusters"] == 6
    other = one.set_params(random_state=4).fit(vectors).labels_
    assert not np.array_equal(other, again)
    sizes = [np.bincount(row[row >= 0]) for row in again]
    assert all(count == 0 or count >= 5 for row in sizes for count in row)


def test_episodes_have_distinct_images_of_distinct_classes():
    labels = np.repeat(np.arange(7), 9)
    labels[:3] = -1
    batch = sample_episodes(labels, way=5, shot=2, query=4, n_episodes=50)
    assert batch.support.shape == (50, 5, 2)
    assert batch.query.shape == (50, 5, 4)
    both = np.concatenate([batch.support, batch.query], axis=2)
    for episode in both:
        assert len(np.unique(episode)) == 30
        own = labels[episode]
        assert (own == own[:, :1]).all()
        assert len(np.unique(own[:, 0])) == 5
        assert own.min() >= 0
    with pytest.raises(EpisodeError):
        sample_episodes(labels, way=8, shot=1, query=1)


@pytest.mark.parametrize(
    ("labels", "got"),
    [
        (LabeledImages(np.zeros((4, 8, 8, 1), np.uint8), np.arange(4)), "LabeledImages"),
        (np.linspace(0, 1, 9), "float64"),
        (np.zeros((2, 3, 4), int), "(2, 3, 4)"),
        (["a", "b"], "list"),
    ],
)
def test_what_are_no_labels_is_refused_by_its_name(labels, got):
    with pytest.raises(EpisodeError, match="Labels are of another type or shape") as error:
        sample_episodes(labels, way=2, shot=1, query=1)
    assert got in error.value.got
    assert "data.val.labels" in error.value.fix


@pytest.mark.parametrize("learner", [ProtoNets, Maml])
def test_a_learner_learns_and_comes_back_from_its_files(learner, tmp_path):
    images, labels = classes()
    settings = {**SMALL, "iterations": 40} if learner is ProtoNets else SMALL
    trained = learner(random_state=1, **settings).fit(images, labels)
    assert [line["step"] for line in trained.history_][-1] == settings["iterations"]
    assert set(trained.history_[0]) == {"step", "loss", "accuracy"}
    data = LabeledImages(images, labels)
    scores = trained.evaluate(data, way=4, shot=2, query=3, n_tasks=60)
    assert scores.accuracies.shape == (60,)
    assert scores.mean == pytest.approx(scores.accuracies.mean())
    assert scores.ci95 == pytest.approx(1.96 * scores.accuracies.std() / np.sqrt(60))
    assert scores.mean > 0.4
    trained.save(tmp_path)
    loaded = learner.load(tmp_path, device="cpu")
    assert loaded.settings == trained.settings
    again = loaded.evaluate(data, way=4, shot=2, query=3, n_tasks=60)
    assert np.array_equal(again.accuracies, scores.accuracies)
    with pytest.raises(DataError):
        ({ProtoNets, Maml} - {learner}).pop().load(tmp_path)


def test_the_same_seed_gives_the_same_model_and_another_another():
    images, labels = classes()
    models = [
        ProtoNets(random_state=seed, **SMALL).fit(images, labels).model_ for seed in (0, 0, 1)
    ]
    first, same, other = (torch.cat([p.flatten() for p in one.parameters()]) for one in models)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert isinstance(models[0], Protonets)


def test_partitions_serve_as_labels():
    images, labels = classes()
    partitions = np.stack([labels, np.where(labels < 5, labels, -1)])
    learner = ProtoNets(**SMALL).fit(images, partitions)
    assert learner.history_


def prepared(folder, images, labels) -> None:
    splits = {}
    for name in ("train", "val", "test"):
        write_array(folder / f"{name}_images.npy", images)
        record = array_record(folder / f"{name}_images.npy", images.shape, "uint8")
        written = write_labels(folder / f"{name}_labels.npy", labels)
        names = [f"{one}" for one in range(labels.max() + 1)]
        splits[name] = SplitRecord(images=record, labels=written, classes=names)
    shape = images.shape[1:]
    write_manifest(
        folder,
        Manifest(dataset="omniglot", synthetic=True, image_shape=shape,
                 splits=splits),
    )  # fmt: skip


def test_prepared_data_and_vectors_are_loaded(tmp_path):
    images, labels = classes()
    prepared(tmp_path, images, labels)
    data = load_dataset(str(tmp_path))
    assert isinstance(data, Dataset)
    assert np.array_equal(data.val.images, images)
    assert np.array_equal(data.test.labels, labels)
    assert (data.test.dataset, data.test.split) == ("omniglot", "test")
    vectors = np.random.default_rng(0).normal(size=(72, 3)).astype(np.float32)
    write_array(tmp_path / "train.npy", vectors)
    arrays = {"train": {"file": "train.npy", "shape": [72, 3]}}
    write_json(tmp_path / "manifest.json", {"arrays": arrays})
    assert np.array_equal(load_vectors(tmp_path), vectors)


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda: ProtoNets(ways=5), "ProtoNets(ways=...)"),
        (lambda: Maml(inner_lr=-1), "Maml(inner_lr=...)"),
        (lambda: KMeansPartitions(n_clusters=0).fit(np.ones((9, 2))),
         "KMeansPartitions(n_clusters=...)"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(make, where):
    with pytest.raises(ConfigError) as caught:
        make()
    assert caught.value.where == where
    assert caught.value.fix


@pytest.mark.parametrize("wrong", ["float", "flat", "empty", "labels"])
def test_wrong_images_are_refused(wrong):
    images, labels = classes()
    images = {"float": images / 255, "flat": images[..., 0], "empty": images[:0]}.get(wrong, images)
    labels = labels[:-1] if wrong == "labels" else labels
    with pytest.raises((DataError, EpisodeError)):
        ProtoNets(**SMALL).fit(images, labels)


def test_scores_print_their_interval():
    assert str(Scores(np.array([0.5, 0.7]))) == "60.00% ± 13.86%"
