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
    pseudo = {name: max(2, n // _IMAGES_PER_PSEUDO_LABEL) for name, n in images.items()}
    ways = {
        "omniglot": {
            "way": min(_WAY, train, max(1, clusters["omniglot"] // 2)),
            "validation": {"way": min(_VALIDATION_WAY, val)},
        },
        "miniimagenet": {
            "way": min(_VALIDATION_WAY, mini.train_classes),
            "validation": {"way": min(_VALIDATION_WAY, mini.val_classes)},
        },
    }
    return {
        "data": {
            "mnist": {"val_size": val_size},
            "omniglot": {"train_characters": train, "val_characters": val},
        },
        "embeddings": {
            "deepcluster": {"per_dataset": {name: {"clusters": n} for name, n in pseudo.items()}}
        },
        "partitions": {
            "maml": {"fraction": _LARGE_ENOUGH},
            "protonets": {"fraction": _LARGE_ENOUGH},
            "per_dataset": {
                name: {"clusters": n, "random": {"labels": n}} for name, n in clusters.items()
            },
        },
        "learners": {
            "maml": {"per_dataset": ways},
            "protonets": {"query": _QUERIES, "per_dataset": ways},
        },
        "evaluation": {
            "per_dataset": {
                "omniglot": _episodes("omniglot", characters - train - val),
                "miniimagenet": _episodes("miniimagenet", mini.test_classes),
            }
        },
        "baselines": {
            "per_dataset": {
                name: {"cluster_matching": {"clusters": n}} for name, n in clusters.items()
            }
        },
    }


def _episodes(dataset: Any, classes: int) -> dict[str, Any]:
    """Return the default episodes, with at most the classes that there are."""
    pairs: Iterable[tuple[int, int]] = (
        (max(2, min(one.way, classes)), one.shot)
        for one in EvaluationSettings().resolve(dataset).settings
    )
    return {"settings": [{"way": way, "shot": shot} for way, shot in dict.fromkeys(pairs)]}
