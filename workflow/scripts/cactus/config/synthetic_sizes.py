"""Defaults that follow the sizes of the synthetic data."""

from collections.abc import Iterable
from typing import Any, Final

from cactus.config.sections.evaluation import EvaluationSettings
from cactus.config.sections.synthetic import SyntheticSettings

# Clusters of this many images on average; half of them have to be large enough for a task.
_IMAGES_PER_CLUSTER: Final = 30
_LARGE_ENOUGH: Final = 0.5
# DeepCluster's own clusters only have to differ in their number from the classes.
_IMAGES_PER_PSEUDO_LABEL: Final = 25
_WAY, _VALIDATION_WAY, _QUERIES = 20, 5, 5


def synthetic_sizes(synthetic: SyntheticSettings) -> dict[str, Any]:
    """Return the defaults of a study on synthetic data: splits, ways and clusters that fit it.

    The lengths of trainings and the networks stay the paper's.
    """
    omniglot, mini = synthetic.omniglot, synthetic.miniimagenet
    alphabets = omniglot.background_alphabets + omniglot.evaluation_alphabets
    characters = alphabets * omniglot.characters
    train, val = max(1, characters * 6 // 10), max(1, characters // 10)
    val_size = max(1, synthetic.mnist.train_images // 4)
    images = {
        "mnist": synthetic.mnist.train_images - val_size,
        "omniglot": train * omniglot.drawers,
        "miniimagenet": mini.train_classes * mini.images_per_class,
        "celeba": synthetic.celeba.train_images,
    }
    clusters = {name: max(2, n // _IMAGES_PER_CLUSTER) for name, n in images.items()}
    clusters["mnist"] = 10  # one per digit, as in the paper
    ways = {
        "omniglot": _ways(min(_WAY, train, max(1, clusters["omniglot"] // 2)), val),
        "miniimagenet": _ways(min(_VALIDATION_WAY, mini.train_classes), mini.val_classes),
    }
    settings = {
        "omniglot": _episodes("omniglot", characters - train - val),
        "miniimagenet": _episodes("miniimagenet", mini.test_classes),
    }
    return {
        "data": {
            "mnist": {"val_size": val_size},
            "omniglot": {"train_characters": train, "val_characters": val},
        },
        **_cluster_sizes(images, clusters),
        "learners": {
            "maml": {"per_dataset": ways},
            "protonets": {"query": _QUERIES, "per_dataset": ways},
        },
        "evaluation": {"per_dataset": settings},
    }


def _cluster_sizes(images: dict[str, int], clusters: dict[str, int]) -> dict[str, Any]:
    """Return the defaults of everything that clusters the training images."""
    pseudo = {
        name: {"clusters": max(2, n // _IMAGES_PER_PSEUDO_LABEL)} for name, n in images.items()
    }
    partitions = {name: {"clusters": n, "random": {"labels": n}} for name, n in clusters.items()}
    matching = {name: {"cluster_matching": {"clusters": n}} for name, n in clusters.items()}
    return {
        "embeddings": {"deepcluster": {"per_dataset": pseudo}},
        "partitions": {
            "maml": {"fraction": _LARGE_ENOUGH},
            "protonets": {"fraction": _LARGE_ENOUGH},
            "per_dataset": partitions,
        },
        "baselines": {"per_dataset": matching},
    }


def _ways(way: int, validation_classes: int) -> dict[str, Any]:
    return {"way": way, "validation": {"way": min(_VALIDATION_WAY, validation_classes)}}


def _episodes(dataset: Any, classes: int) -> dict[str, Any]:
    """Return the default episodes, with at most the classes that there are."""
    pairs: Iterable[tuple[int, int]] = (
        (max(2, min(one.way, classes)), one.shot)
        for one in EvaluationSettings().resolve(dataset).settings
    )
    return {"settings": [{"way": way, "shot": shot} for way, shot in dict.fromkeys(pairs)]}
