"""Defaults that follow the sizes of the synthetic data."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from cactus.config.sections.base import DatasetName
from cactus.config.sections.data.section import DataSettings
from cactus.config.sections.evaluation import EvaluationSettings
from cactus.config.sections.learners.maml import MamlSettings
from cactus.config.sections.synthetic import SyntheticSettings

# Clusters of this many images on average; half of them have to be large enough for a task.
_IMAGES_PER_CLUSTER: Final = 30
_LARGE_ENOUGH: Final = 0.5
# DeepCluster's own clusters only have to differ in their number from the classes.
_IMAGES_PER_PSEUDO_LABEL: Final = 25
_COLOR_WAY, _QUERIES = 5, 5
# The validation splits may have too few classes to select values by. These are the original's
# where its script has them.
_BASELINES: Final[dict[str, Any]] = {
    "knn": {"neighbors": [1]},
    "linear": {"c": [1.0]},
    "mlp": {"hidden_units": [128], "dropout": [0.5]},
}


class _Size(NamedTuple):
    """A split: its classes, and images that its smallest class surely has."""

    classes: int
    per_class: int


class _Sizes(NamedTuple):
    """The splits of a data set."""

    images: int  # of the training split
    train: _Size
    val: _Size
    test: _Size


def synthetic_sizes(synthetic: SyntheticSettings, custom: Iterable[str] = ()) -> dict[str, Any]:
    """Return the defaults of a study on synthetic data: splits, ways and clusters that fit it.

    `custom` names its custom learners.

    The lengths of trainings and the networks stay the paper's. Baselines have a single value.
    """
    sizes = _sizes(synthetic)
    learners = {name: _learner(name, size) for name, size in sizes.items()}
    enough = {"fraction": _LARGE_ENOUGH}
    return {
        "data": _splits(sizes, synthetic.mnist.train_images),
        "embeddings": {
            "deepcluster": {
                "per_dataset": {
                    name: {"clusters": max(2, size.images // _IMAGES_PER_PSEUDO_LABEL)}
                    for name, size in sizes.items()
                }
            }
        },
        "partitions": {"maml": enough, "protonets": enough, "per_dataset": _partitions(sizes)},
        "learners": {
            "maml": {"per_dataset": learners},
            "protonets": {"query": _QUERIES, "per_dataset": learners},
            "custom": {name: {"per_dataset": learners, "acceptance": enough} for name in custom},
        },
        "evaluation": {
            "per_dataset": {
                name: _episodes(name, one, learners[name]["way"]) for name, one in sizes.items()
            }
        },
        "baselines": {
            **_BASELINES,
            "per_dataset": {
                name: {"cluster_matching": {"clusters": _clusters(name, size)}}
                for name, size in sizes.items()
            },
        },
    }


def _sizes(synthetic: SyntheticSettings) -> dict[DatasetName, _Sizes]:
    """Return the splits that the defaults make of each data set."""
    mnist, omniglot = synthetic.mnist, synthetic.omniglot
    mini, celeba = synthetic.miniimagenet, synthetic.celeba
    val_size = max(1, mnist.train_images // 4)
    # The digits of a split are not equally many.
    digits = [
        _Size(10, n // 15) for n in (mnist.train_images - val_size, val_size, mnist.test_images)
    ]
    alphabets = omniglot.background_alphabets + omniglot.evaluation_alphabets
    total = alphabets * omniglot.characters
    train, val = max(1, total * 6 // 10), max(1, total // 10)
    characters = [_Size(n, omniglot.drawers) for n in (train, val, total - train - val)]
    classes = (mini.train_classes, mini.val_classes, mini.test_classes)
    photos = [_Size(n, mini.images_per_class) for n in classes]
    faces = (celeba.train_images, celeba.val_images, celeba.test_images)
    return {
        "mnist": _Sizes(mnist.train_images - val_size, *digits),
        "omniglot": _Sizes(train * omniglot.drawers, *characters),
        "miniimagenet": _Sizes(mini.train_classes * mini.images_per_class, *photos),
        # Tasks choose attributes that enough images have.
        "celeba": _Sizes(celeba.train_images, *(_Size(2, n // 10) for n in faces)),
    }


def _splits(sizes: dict[DatasetName, _Sizes], mnist_images: int) -> dict[str, Any]:
    """Return the defaults of how the raw data is split."""
    data = DataSettings()
    mnist, omniglot, mini = sizes["mnist"], sizes["omniglot"], sizes["miniimagenet"]
    return {
        "mnist": {
            "val_size": mnist_images - mnist.images,
            "min_images_per_class": _least(data.mnist.min_images_per_class, mnist),
        },
        "omniglot": {
            "train_characters": omniglot.train.classes,
            "val_characters": omniglot.val.classes,
            "min_images_per_class": _least(data.omniglot.min_images_per_class, omniglot),
        },
        "miniimagenet": {
            "min_images_per_class": _least(data.miniimagenet.min_images_per_class, mini)
        },
    }


def _least(default: int, sizes: _Sizes) -> int:
    """Return the images that each class of each split has to have."""
    return max(1, min(default, *(one.per_class for one in (sizes.train, sizes.val, sizes.test))))


def _clusters(name: DatasetName, sizes: _Sizes) -> int:
    """Return the number of clusters; MNIST has one per digit, as in the paper."""
    return 10 if name == "mnist" else max(2, sizes.images // _IMAGES_PER_CLUSTER)


def _partitions(sizes: dict[DatasetName, _Sizes]) -> dict[str, Any]:
    clusters = {name: _clusters(name, one) for name, one in sizes.items()}
    return {name: {"clusters": n, "random": {"labels": n}} for name, n in clusters.items()}


def _learner(name: DatasetName, sizes: _Sizes) -> dict[str, Any]:
    """Return the default tasks of a learner, with at most the classes and images that there are."""
    default = MamlSettings().resolve(name)
    way, one = default.way, default.validation
    if name == "omniglot":
        way = max(1, min(way, sizes.train.classes, _clusters(name, sizes) // 2))
    elif name == "miniimagenet":
        way = min(_COLOR_WAY, sizes.train.classes)
    query = _queries(one.query, sizes.val)
    validation = {
        "way": min(one.way, sizes.val.classes, way),
        "shot": _shots(one.shot, query, sizes.val),
        "query": query,
    }
    return {"way": way, "validation": validation}


def _episodes(name: DatasetName, sizes: _Sizes, trained: int) -> dict[str, Any]:
    """Return the default episodes, with at most the classes and images that there are.

    They have no more classes than in training, because MAML's head has not.
    """
    default = EvaluationSettings().resolve(name)
    query = _queries(default.query, sizes.test)
    pairs = (
        (max(2, min(one.way, sizes.test.classes, trained)), _shots(one.shot, query, sizes.test))
        for one in default.settings
    )
    settings = [{"way": way, "shot": shot} for way, shot in dict.fromkeys(pairs)]
    return {"query": query, "settings": settings}


def _queries(default: int, size: _Size) -> int:
    return max(1, min(default, size.per_class // 2))


def _shots(default: int, query: int, size: _Size) -> int:
    return max(1, min(default, size.per_class - query))
