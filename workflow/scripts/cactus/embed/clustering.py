"""DeepCluster's k-means without empty clusters, and whitening by PCA, on any device."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cactus.errors import TrainingError

_CHUNK = 8192
_SMALLEST_VARIANCE = 1e-6


def nonempty_kmeans(
    points: Tensor, clusters: int, iterations: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Cluster points by Lloyd's algorithm, leaving no cluster empty.

    Parameters
    ----------
    points
        (N, D).
    clusters
        k, at most N.
    iterations
        Updates of the centroids; the first centroids are random points.
    generator
        A CPU generator.

    Returns
    -------
    labels
        int64 (N,), with every value of 0..k-1.
    centroids
        (k, D), the means of the clusters.

    Raises
    ------
    TrainingError
        There are fewer points than clusters.
    """
    _check_enough(len(points), clusters)
    first = torch.randperm(len(points), generator=generator)[:clusters]
    centroids = points[first.to(points.device)]
    labels = torch.empty(0, dtype=torch.int64, device=points.device)
    for _ in range(iterations):
        labels = fill_empty_clusters(points, nearest(points, centroids), clusters, generator)
        centroids = cluster_means(points, labels, clusters)
    return labels, centroids


def _check_enough(count: int, clusters: int) -> None:
    if count < clusters:
        raise TrainingError(
            "There are more clusters than images.",
            where="the k-means of DeepCluster",
            got=f"{clusters} clusters, {count} images",
            fix="lower embeddings.deepcluster.clusters (or per_dataset) in the config",
        )


def nearest(points: Tensor, centroids: Tensor) -> Tensor:
    """Return the index (N,) of the centroid (k, D) nearest to each point (N, D)."""
    norms = centroids.square().sum(1)
    chunks = [(norms - 2 * chunk @ centroids.T).argmin(1) for chunk in torch.split(points, _CHUNK)]
    return torch.cat(chunks)


def cluster_means(points: Tensor, labels: Tensor, clusters: int) -> Tensor:
    """Return the mean (k, D) of the points in each cluster."""
    sums = torch.zeros((clusters, points.shape[1]), dtype=points.dtype, device=points.device)
    sums.index_add_(0, labels, points)
    sizes = torch.bincount(labels, minlength=clusters)
    return sums / sizes.clamp(min=1)[:, None]


def fill_empty_clusters(
    points: Tensor, labels: Tensor, clusters: int, generator: torch.Generator
) -> Tensor:
    """Give each empty cluster half of the largest one (Caron et al. 2018, section 3.3).

    The paper moves the empty cluster's centroid next to another one, by a random perturbation,
    and reassigns that cluster's points to the two. Here the points are split into equal halves
    along a random direction, which also separates points that coincide.

    Parameters
    ----------
    points
        (N, D).
    labels
        int64 (N,); at least `clusters` points.
    clusters
        k.
    generator
        A CPU generator.

    Returns
    -------
    Tensor
        Labels (N,) in which every value of 0..k-1 occurs.
    """
    sizes = torch.bincount(labels, minlength=clusters)
    empty = (sizes == 0).nonzero().flatten()
    if len(empty) == 0:
        return labels
    labels = labels.clone()
    for cluster in empty:
        largest = sizes.argmax()
        members = (labels == largest).nonzero().flatten()
        direction = torch.randn(points.shape[1], generator=generator).to(points)
        ranks = (points[members] @ direction).argsort(stable=True)
        moved = members[ranks[: len(members) // 2]]
        labels[moved] = cluster
        sizes[cluster] = len(moved)
        sizes[largest] -= len(moved)
    return labels


def balanced_order(labels: Tensor, clusters: int, generator: torch.Generator) -> Tensor:
    """Draw as many images as there are, with every cluster equally likely (section 3.3).

    Parameters
    ----------
    labels
        int64 (N,), with every value of 0..k-1.
    clusters
        k.
    generator
        A CPU generator.

    Returns
    -------
    Tensor
        int64 (N,) on the CPU: indices of images, drawn with replacement within a cluster.
    """
    labels = labels.cpu()
    count = len(labels)
    by_cluster = labels.argsort(stable=True)
    sizes = torch.bincount(labels, minlength=clusters)
    starts = sizes.cumsum(0) - sizes
    chosen = torch.randperm(count, generator=generator) % clusters
    places = (torch.rand(count, generator=generator) * sizes[chosen]).long()
    return by_cluster[starts[chosen] + places.minimum(sizes[chosen] - 1)]


def mutual_information(first: Tensor, second: Tensor, clusters: int) -> Tensor:
    """Return the normalized mutual information: that of two clusterings over their mean entropy.

    It is 1 for clusterings that agree up to their numbering (Strehl and Ghosh, 2002, with the
    arithmetic mean); two clusterings with a single cluster each agree.

    Parameters
    ----------
    first, second
        int64 (N,), of values below `clusters`.
    clusters
        k.

    Returns
    -------
    Tensor
        float64 scalar.
    """
    entropies = _entropy(first) + _entropy(second)
    shared = entropies - _entropy(first * clusters + second)
    return torch.where(entropies > 0, 2 * shared / entropies, 1.0)


def _entropy(labels: Tensor) -> Tensor:
    """Return the entropy of labels (N,) in nats; only labels that occur take memory."""
    _, sizes = torch.unique(labels, return_counts=True)
    shares = sizes.double() / len(labels)
    entropy: Tensor = -(shares * shares.log()).sum()
    return entropy


class Whitening(nn.Module):
    """Principal components scaled to unit variance, then each vector to unit length.

    Parameters
    ----------
    inputs
        Dimensions of the features.
    outputs
        Components kept, at most `inputs`.
    """

    mean: Tensor
    components: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("components", torch.eye(inputs, outputs))

    def fit(self, features: Tensor) -> None:
        """Compute the mean and leading components of features (N, inputs), in double precision.

        Components of almost no variance, which exist with fewer images than dimensions, are not
        scaled up to unit variance. Only a chunk of the features is copied to double precision.
        """
        mean = self.mean.new_zeros(len(self.mean), dtype=torch.float64)
        for chunk in torch.split(features, _CHUNK):
            mean += chunk.double().sum(0)
        mean /= len(features)
        covariance = mean.new_zeros((len(mean), len(mean)))
        for chunk in torch.split(features, _CHUNK):
            centered = chunk - mean
            covariance += centered.T @ centered
        variances, vectors = torch.linalg.eigh(covariance / len(features))
        kept = self.components.shape[1]
        variances, vectors = variances.flip(0)[:kept], vectors.flip(1)[:, :kept]
        floor = _SMALLEST_VARIANCE * variances[0].clamp(min=torch.finfo(torch.float32).tiny)
        self.mean.copy_(mean)
        self.components.copy_(vectors / variances.clamp(min=floor).sqrt())

    def whiten(self, features: Tensor) -> Tensor:
        """Return components (N, outputs), which have unit variance on the fitted features."""
        chunks = torch.split(features, _CHUNK)
        return torch.cat([(chunk - self.mean) @ self.components for chunk in chunks])

    def forward(self, features: Tensor) -> Tensor:
        """Return whitened features (N, outputs) scaled to unit length."""
        return F.normalize(self.whiten(features))
