"""What readers of tables and papers see in place of the configuration's keys and values."""

from collections.abc import Sequence
from typing import Any, Final

from cactus.config.sections.names import EMBEDDINGS, LEARNERS

# Of keys whose words are not their own name with spaces.
_KEYS: Final = {
    "affine": "gain and bias of batch normalization",
    "batch_norm_eps": "epsilon of batch normalization",
    "batch_norm_gamma": "initial gain of batch normalization",
    "batch_norm_momentum": "momentum of batch normalization",
    "batch_size": "batch",
    "beta1": "Adam's first momentum",
    "c": "C",
    "count": "number",
    "crop_area_min": "smallest part of an image in a crop",
    "crop_ratio_max": "largest ratio of a crop's sides",
    "crop_side": "side of the crop",
    "cuda_graph": "CUDA graph",
    "depth": "filters of the first convolution",
    "dims": "dimensions",
    "evaluation_steps": "steps at evaluation",
    "features": "layer of the embedding",
    "final_rate": "last rate",
    "first_kernel": "kernel of the first convolution",
    "first_order": "first-order gradients",
    "first_padding": "padding of the first convolution",
    "first_stride": "stride of the first convolution",
    "gradient_clip": "clip of gradients",
    "head": "input of the head",
    "head_init": "initial head",
    "hidden": "hidden units",
    "ink": "color of the ink",
    "inner_lr": "inner rate",
    "joint_batch": "one batch for real and generated images",
    "kmeans_iterations": "iterations of k-means",
    "l2": "weight decay",
    "leak": "slope of leaky units",
    "map_filters": "filters of the last map",
    "max_iterations": "most iterations",
    "n_init": "k-means starts",
    "outer_lr": "outer rate",
    "outer_schedule": "outer rate over training",
    "partitions": "split of the images",
    "query": "queries per class",
    "raw_size": "images before the crop",
    "recognition_hidden": "hidden units of the recognition network",
    "resize": "filter that resizes images",
    "signed_images": "pixels in [-1, 1]",
    "train_attributes": "training attributes",
    "train_characters": "training characters",
    "val_attributes": "validation attributes",
    "val_characters": "validation characters",
    "val_size": "validation images",
    "working_size": "image size",
}
_VALUES: Final = {
    **EMBEDDINGS,
    **LEARNERS,
    "alexnet": "AlexNet",
    "cluster_matching": "cluster matching",
    "conv": "convolutions",
    "flatten": "flattened map",
    "knn": "kNN",
    "linear": "linear classifier",
    "max_pool": "max pooling",
    "mlp": "MLP",
    "newton": "Newton's method",
    "resnet": "ResNet",
    "spatial_mean": "spatial mean",
    "stride": "strides",
    "xavier": "Glorot",
}


def key_words(key: str) -> str:
    """Return the words of a key; words are returned as they are."""
    return _KEYS.get(key, key.replace("_", " "))


def value_words(value: Any) -> Any:
    """Return a value with words in place of the names in it; others are returned as they are.

    A list in one text has its parts apart by slashes.
    """
    match value:
        case str():
            return "/".join(_VALUES.get(part, part) for part in value.split("/"))
        case list():
            return [value_words(one) for one in value]
        case dict():
            return {key_words(str(key)): value_words(one) for key, one in value.items()}
    return value


def listed(names: Sequence[str], last: str = "and") -> str:
    """Return names as an English list."""
    return f" {last} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def inline(title: str) -> str:
    """Return a method's title as it stands within a sentence: CACTUs-MAML, linear classifier."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title
