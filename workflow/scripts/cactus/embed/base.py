"""The interface of embeddings, and the base class of those trained step by step."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cactus.config.sections.embeddings.base import MethodSettings
from cactus.embed.images import square_images
from cactus.embed.networks import ModuleT, seeded_module
from cactus.errors import DataError
from cactus.seeding import derive_seed
from cactus.train.checkpoint import Checkpoints
from cactus.train.device import convolution_layout, mixed_precision, require_gpu
from cactus.train.loop import train
from cactus.train.metrics import MetricsLog
from cactus.train.optimizers import Adam

SettingsT = TypeVar("SettingsT", bound=MethodSettings)


class Embedding(Protocol):
    """A map from images to vectors, learned from images without labels.

    A module of this package, or a user's own, defines it as a class `Method`, constructed as
    ``Method(settings, image_shape, seed, device)``.
    """

    def total_steps(self, count: int) -> int:
        """Return the number of training steps on `count` images."""

    def fit(self, images: npt.NDArray[np.uint8], log: MetricsLog, checkpoints: Checkpoints) -> None:
        """Learn from images (N, H, W, C), resuming from the newest checkpoint if there is one."""

    def encode(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Map images (N, H, W, C) to vectors (N, d); each depends on its own image only."""

    def diagnose(self, images: npt.NDArray[np.uint8], path: Path) -> None:
        """Write a picture, from images (N, H, W, C), that shows how good the embedding is."""

    def state_dict(self) -> dict[str, Tensor]:
        """Return everything that `encode` and `diagnose` need besides the settings."""

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore a state that `state_dict` returned."""


@runtime_checkable
class ReadsNames(Protocol):
    """What ready-made vectors have besides: names of images, which may tell their classes."""

    def read_names(self, data_folder: Path) -> None:
        """Read the names of a prepared data set's images, if vectors have names."""


class TrainedEmbedding(ABC, Generic[SettingsT]):
    """An embedding by networks that are trained step by step.

    A method adds its networks and optimizers in its constructor and defines `total_steps`,
    `train_step`, `encode_batch` and `diagnose`. This object holds everything that a step depends
    on, and `training_state` returns it: `nets`, `optimizers`, `step`, `order`, the two generators
    and what a method adds. `epoch` follows from `step`; it is fractional.

    Parameters
    ----------
    settings
        Resolved for the data set.
    image_shape
        Height, width and channels of the images.
    seed
        Seed of the initial weights, the order of images and the noise.
    device
        Device of the networks and images.
    """

    def __init__(
        self,
        settings: SettingsT,
        image_shape: tuple[int, int, int],
        seed: int,
        device: torch.device,
    ) -> None:
        self.settings = settings
        self.image_shape = image_shape
        self.device = device
        self.step = 0
        self.epoch = 0.0
        self.order = torch.empty(0, dtype=torch.int64)
        self.order_generator = torch.Generator().manual_seed(derive_seed("order", seed))
        self.noise_generator = torch.Generator(device).manual_seed(derive_seed("noise", seed))
        self.nets = nn.ModuleDict()
        self.optimizers: dict[str, Optimizer] = {}
        self._seed = seed

    def add_net(self, name: str, build: Callable[[], ModuleT]) -> ModuleT:
        """Build a network, its weights seeded by its name; register and return it."""
        net = seeded_module(build, derive_seed("weights", name, self._seed)).to(self.device)
        net.to(memory_format=convolution_layout(self.device, self.settings.precision))
        self.nets[name] = net
        return net

    def add_adam(
        self,
        name: str,
        nets: Iterable[nn.Module],
        rate: float,
        *,
        beta1: float = 0.9,
        weight_decay: float = 0.0,
        undecayed: Iterable[nn.Parameter] = (),
    ) -> Optimizer:
        """Register and return Adam (Kingma and Ba 2015) on the parameters of `nets`.

        The L2 penalty `weight_decay` leaves out the parameters `undecayed`.
        """
        free = list(undecayed)
        excepted = {id(parameter) for parameter in free}
        parameters = [parameter for net in nets for parameter in net.parameters()]
        decayed = [parameter for parameter in parameters if id(parameter) not in excepted]
        optimizer = Adam(decayed, rate, betas=(beta1, 0.999), weight_decay=weight_decay)
        if free:
            optimizer.add_param_group({"params": free, "weight_decay": 0.0})
        self.optimizers[name] = optimizer
        return optimizer

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Draw a tensor from U(low, high) with the noise generator."""
        values = torch.empty(shape, device=self.device)
        return values.uniform_(low, high, generator=self.noise_generator)

    def forward_pass(self) -> torch.autocast:
        """Return the context of the networks' forward passes in training, in their precision.

        Cast what leaves it for a loss to float32. Use a new context once weights have changed.
        """
        return mixed_precision(self.device, self.settings.precision)

    @abstractmethod
    def total_steps(self, count: int) -> int:
        """Return the number of training steps on `count` images."""

    @abstractmethod
    def train_step(self, images: Tensor, indices: Tensor) -> dict[str, Tensor]:
        """Train on one batch and return its metrics as detached scalars on the device.

        Parameters
        ----------
        images
            uint8 (B, C, S, S), S the side of the resident images.
        indices
            int64 (B,), positions of the images among the training images.
        """

    @abstractmethod
    def encode_batch(self, images: Tensor) -> Tensor:
        """Map uint8 images (B, C, S, S) to vectors (B, d)."""

    @abstractmethod
    def diagnose(self, images: npt.NDArray[np.uint8], path: Path) -> None:
        """Write a picture that shows a person how good the embedding is."""

    def resident_size(self) -> int:
        """Return the side of the images on the device."""
        return self.settings.working_size

    def epoch_order(self, resident: Tensor) -> Tensor:
        """Return the indices of the images of the next epoch, in order."""
        return torch.randperm(len(resident), generator=self.order_generator)

    def finish(self, resident: Tensor) -> None:
        """Complete the embedding after the last step."""

    def random_batches(self, resident: Tensor) -> Iterator[Tensor]:
        """Yield an epoch of full batches in an order that does not depend on the training."""
        generator = torch.Generator().manual_seed(derive_seed("random batches", self._seed))
        order = torch.randperm(len(resident), generator=generator).to(self.device)
        size = self.batch_size(len(resident))
        for start in range(0, len(resident) - size + 1, size):
            yield resident[order[start : start + size]]

    def batch_size(self, count: int) -> int:
        """Return the images per batch when there are `count`; all batches are full."""
        return min(self.settings.batch_size, count)

    def steps_per_epoch(self, count: int) -> int:
        """Return the number of full batches in `count` images."""
        return count // self.batch_size(count)

    def training_state(self) -> dict[str, Any]:
        """Return what the next steps depend on, as values that a checkpoint can hold.

        PyTorch's global generators are left to the training loop. A method whose steps depend on
        more adds it here and restores it in `load_training_state`.
        """
        optimizers = self.optimizers.items()
        return {
            "nets": self.nets.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in optimizers},
            "order": self.order,
            "order_generator": self.order_generator.get_state(),
            "noise_generator": self.noise_generator.get_state(),
            "step": self.step,
        }

    def load_training_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `training_state` returned, its tensors on the CPU."""
        self.nets.load_state_dict(state["nets"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.order = state["order"].to(self.device)
        self.order_generator.set_state(state["order_generator"])
        self.noise_generator.set_state(state["noise_generator"])
        self.step = state["step"]

    def fit(self, images: npt.NDArray[np.uint8], log: MetricsLog, checkpoints: Checkpoints) -> None:
        """Train on images (N, H, W, C), from the newest checkpoint to the last step.

        Raises
        ------
        TrainingError
            A metric is NaN or infinite when it is logged, or the checkpoint was saved on another
            type of device.
        DataError
            There are fewer than two images, too few for batch statistics.
        StoppedError
            A stop was requested.
        ConfigError
            The settings ask for mixed precision without a GPU.
        """
        _check_enough(len(images))
        if self.settings.precision != "float32":
            require_gpu(self.device, "the key precision of the embedding", self.settings.precision)
        resident = self.resident(images)
        self.nets.train()
        train(
            self,
            partial(self._train_next_batch, resident),
            steps=self.total_steps(len(resident)),
            log_every=self.settings.log_every,
            log=log,
            checkpoints=checkpoints,
            device=self.device,
        )
        self.nets.eval()
        self.finish(resident)

    def _train_next_batch(self, resident: Tensor) -> dict[str, Tensor]:
        self.epoch = self.step / self.steps_per_epoch(len(resident))
        indices = self._next_indices(resident)
        metrics = self.train_step(resident[indices], indices)
        self.step += 1
        return metrics

    def resident(self, images: npt.NDArray[np.uint8]) -> Tensor:
        """Return images (N, H, W, C) as uint8 (N, C, S, S) on the device."""
        return square_images(images, self.resident_size(), self.device)

    def _next_indices(self, resident: Tensor) -> Tensor:
        size = self.batch_size(len(resident))
        position = self.step % self.steps_per_epoch(len(resident))
        if position == 0:
            self.order = self.epoch_order(resident).to(self.device)
        return self.order[position * size : (position + 1) * size]

    @torch.no_grad()
    def encode(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Map images (N, H, W, C) to vectors (N, d)."""
        self.nets.eval()
        size = self.settings.encode_batch_size
        batches = (images[start : start + size] for start in range(0, len(images), size))
        vectors = [self.encode_batch(self.resident(batch)).cpu().numpy() for batch in batches]
        return np.concatenate(vectors).astype(np.float32, copy=False)

    def state_dict(self) -> dict[str, Tensor]:
        """Return all weights and buffers, on the CPU."""
        return {name: value.cpu().contiguous() for name, value in self.nets.state_dict().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Load weights and buffers; names and shapes must match."""
        self.nets.load_state_dict(state)
        self.nets.eval()


def _check_enough(count: int) -> None:
    if count < 2:
        raise DataError(
            "There are too few images to train an embedding.",
            where="the training images",
            got=f"{count} images",
            fix="give at least two",
        )
