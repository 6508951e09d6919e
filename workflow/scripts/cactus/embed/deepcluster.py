"""DeepCluster: deep clustering for unsupervised learning of features (Caron et al. 2018)."""

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from cactus.config.sections.embeddings.deepcluster import DeepclusterSettings
from cactus.embed.base import TrainedEmbedding
from cactus.embed.clustering import Whitening, balanced_order, mutual_information, nonempty_kmeans
from cactus.embed.images import fit_square, random_resized_crops, unit_range, write_picture
from cactus.embed.networks import draw_normal_weights, update_all
from cactus.errors import TrainingError
from cactus.train.optimizers import SGD

_DENSE_STD = 0.01
_ROWS = 12
_COLUMNS = 12
_MONTAGE_IMAGES = 5000

Settings = DeepclusterSettings  # the name that jobs look for, as in modules of users


def sobel(images: Tensor) -> Tensor:
    """Return the horizontal and vertical Sobel derivatives of the mean color.

    Border pixels are repeated outward, so that the frame of an image is not an edge.

    Parameters
    ----------
    images
        float (N, C, S, S).

    Returns
    -------
    Tensor
        (N, 2, S, S).
    """
    gray = F.pad(images.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    over_rows = gray[:, :, :-2] + 2 * gray[:, :, 1:-1] + gray[:, :, 2:]
    over_columns = gray[..., :-2] + 2 * gray[..., 1:-1] + gray[..., 2:]
    across = over_rows[..., 2:] - over_rows[..., :-2]
    down = over_columns[:, :, 2:] - over_columns[:, :, :-2]
    return torch.cat([across, down], dim=1)


def pseudo_label_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean negative log-likelihood of the clusters (equation 1).

    `logits` is (B, k), `labels` int64 (B,).
    """
    return F.cross_entropy(logits, labels)


def drop_units(values: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """Zero each value with probability `rate` and scale the others by 1 / (1 - rate)."""
    draws = torch.rand(values.shape, generator=generator, device=values.device)
    return values * (draws >= rate) / (1 - rate)


class Trunk(nn.Module):
    """AlexNet on Sobel derivatives with batch norm, up to its second dense layer."""

    def __init__(self, settings: DeepclusterSettings) -> None:
        super().__init__()
        a, b, c, d, e = settings.channels
        first = settings.first_kernel, settings.first_stride, settings.first_padding
        self.convolutions = nn.Sequential(
            *_convolution(2, a, *first),
            nn.MaxPool2d(3, 2),
            *_convolution(a, b, 5, 1, 2),
            nn.MaxPool2d(3, 2),
            *_convolution(b, c, 3, 1, 1),
            *_convolution(c, d, 3, 1, 1),
            *_convolution(d, e, 3, 1, 1),
            nn.MaxPool2d(3, 2),
            nn.Flatten(),
        )
        self.first = nn.Linear(e * settings.feature_size**2, settings.hidden)
        self.second = nn.Linear(settings.hidden, settings.hidden)
        self.rate = settings.dropout
        self.apply(_draw_weights)

    def forward(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Map images (N, C, S, S) to features (N, hidden) before the last ReLU.

        Units are dropped with `generator`, or not at all without one.
        """
        values: Tensor = self.convolutions(sobel(images))
        if generator is not None:
            values = drop_units(values, self.rate, generator)
        values = F.relu(self.first(values))
        if generator is not None:
            values = drop_units(values, self.rate, generator)
        values = self.second(values)
        return values


def _convolution(
    inputs: int, outputs: int, kernel: int, stride: int, padding: int
) -> tuple[nn.Module, nn.Module, nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)


def _draw_weights(module: nn.Module) -> None:
    """Draw convolutions with variance 2 / fan-out and dense layers with 0.01, as the authors.

    Dense layers with fewer than the authors' 4096 inputs get larger weights, so that a narrower
    network does not attenuate its signal.
    """
    if isinstance(module, nn.Conv2d):
        draw_normal_weights(module, math.sqrt(2 / module.weight[:, 0].numel()))
    elif isinstance(module, nn.Linear):
        draw_normal_weights(module, _DENSE_STD * max(1.0, math.sqrt(4096 / module.in_features)))


class Method(TrainedEmbedding[DeepclusterSettings]):
    """DeepCluster; the embedding is the whitened, normalized features of the trunk."""

    def __init__(
        self,
        settings: DeepclusterSettings,
        image_shape: tuple[int, int, int],
        seed: int,
        device: torch.device,
    ) -> None:
        super().__init__(settings, image_shape, seed, device)
        self.trunk = self.add_net("trunk", partial(Trunk, settings))
        self.whitening = self.add_net(
            "whitening", partial(Whitening, settings.hidden, settings.dims)
        )
        self.head = self.add_net("head", partial(nn.Linear, settings.hidden, settings.clusters))
        self.optimizers["trunk"] = SGD(
            self.trunk.parameters(),
            settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )
        self.optimizers["head"] = SGD(
            self.head.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.labels = torch.empty(0, dtype=torch.int64, device=device)
        self.stability = torch.zeros((), device=device)

    @override
    def total_steps(self, count: int) -> int:
        """Return the steps of all epochs."""
        return self.settings.epochs * self.steps_per_epoch(count)

    @override
    def resident_size(self) -> int:
        """Return the images' own side, or the working size if that is larger."""
        return max(self.settings.working_size, *self.image_shape[:2])

    @override
    def training_state(self) -> dict[str, Any]:
        """Return the state of all methods, and the clusters of this epoch."""
        clusters = {"labels": self.labels, "stability": self.stability}
        return {**super().training_state(), "clusters": clusters}

    @override
    def load_training_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `training_state` returned."""
        super().load_training_state(state)
        self.labels = state["clusters"]["labels"].to(self.device)
        self.stability = state["clusters"]["stability"].to(self.device)

    @override
    def epoch_order(self, resident: Tensor) -> Tensor:
        """Cluster all images again, reset the head, and sample all clusters equally often."""
        clusters = self.settings.clusters
        vectors = self._whitened(resident)
        labels, _ = nonempty_kmeans(
            vectors, clusters, self.settings.kmeans_iterations, self.order_generator
        )
        if len(self.labels):
            self.stability = mutual_information(self.labels, labels, clusters).float()
        self.labels = labels
        self._restart_head()
        return balanced_order(labels, clusters, self.order_generator)

    @torch.no_grad()
    def _whitened(self, resident: Tensor) -> Tensor:
        """Fit the whitening on all images and return their vectors (N, dims).

        The features of all images exist once: 2.7 GB for CelebA.
        """
        self.trunk.eval()
        features = self.whitening.mean.new_empty((len(resident), self.settings.hidden))
        finite = torch.ones((), dtype=torch.bool, device=self.device)
        size = self.settings.encode_batch_size
        for batch, place in zip(
            torch.split(resident, size), torch.split(features, size), strict=True
        ):
            place.copy_(self.trunk(self._whole(batch)))
            finite &= torch.isfinite(place).all()
        self.trunk.train()
        if not finite:
            raise TrainingError(
                "Training diverged (NaN or infinity).",
                where=f"DeepCluster, before step {self.step + 1}",
                got="NaN or infinite features",
                fix="lower embeddings.deepcluster.learning_rate or change the seed in the config",
            )
        self.whitening.fit(features)
        vectors: Tensor = self.whitening(features)
        del features
        if self.device.type == "cuda":
            torch.cuda.empty_cache()  # other jobs may share the GPU
        return vectors

    @torch.no_grad()
    def _restart_head(self) -> None:
        """Draw the classifier again: cluster numbers of two epochs are unrelated."""
        self.head.weight.normal_(0.0, _DENSE_STD, generator=self.noise_generator)
        self.head.bias.zero_()

    def _whole(self, images: Tensor) -> Tensor:
        """Return whole images at the working size, in [0, 1]."""
        return unit_range(fit_square(images, self.settings.working_size))

    @override
    def train_step(self, images: Tensor, indices: Tensor) -> dict[str, Tensor]:
        """Take one step of trunk and head on the clusters of randomly cropped images."""
        settings = self.settings
        crops = random_resized_crops(
            unit_range(images),
            settings.working_size,
            area_min=settings.crop_area_min,
            ratio_max=settings.crop_ratio_max,
            flip=settings.flip,
            generator=self.noise_generator,
        )
        labels = self.labels[indices]
        with self.forward_pass():
            logits = self.head(F.relu(self.trunk(crops, self.noise_generator))).float()
        loss = pseudo_label_loss(logits, labels)
        update_all(self.optimizers.values(), loss)
        return {
            "loss": loss.detach(),
            "accuracy": (logits.argmax(1) == labels).float().mean(),
            "cluster_stability": self.stability,
        }

    @override
    def finish(self, resident: Tensor) -> None:
        """Fit the whitening to the final features."""
        self._whitened(resident)
        self.nets.eval()

    @override
    def encode_batch(self, images: Tensor) -> Tensor:
        """Return whitened features of unit length."""
        vectors: Tensor = self.whitening(self.trunk(self._whole(images)))
        return vectors

    @override
    def diagnose(self, images: npt.NDArray[np.uint8], path: Path) -> None:
        """Draw one cluster per row, the images nearest to the centroid first.

        The clusters are made from at most 5000 images, a dozen in each on average, and those
        shown range from the largest to the smallest.
        """
        chosen = np.linspace(0, len(images) - 1, min(len(images), _MONTAGE_IMAGES)).astype(int)
        images = images[chosen]
        vectors = torch.from_numpy(self.encode(images))
        clusters = max(1, min(self.settings.clusters, len(images) // _COLUMNS))
        generator = torch.Generator().manual_seed(0)
        labels, centroids = nonempty_kmeans(
            vectors, clusters, self.settings.kmeans_iterations, generator
        )
        by_size = torch.bincount(labels).argsort(descending=True, stable=True)
        shown = by_size[torch.linspace(0, clusters - 1, min(_ROWS, clusters)).long()]
        rows = []
        for cluster in shown.tolist():
            members = (labels == cluster).nonzero().flatten()
            distances = (vectors[members] - centroids[cluster]).square().sum(1)
            nearest = members[distances.argsort(stable=True)[:_COLUMNS]]
            rows.append(self._whole(self.resident(images[nearest.numpy()])))
        write_picture(rows, path)
