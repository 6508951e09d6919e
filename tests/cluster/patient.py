"""An embedding for tests that really trains, but spends most of each step asleep.

It stands in for hours of training: slow enough to be stopped at any moment, cheap enough to run
many side by side.
"""

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from cactus.config.sections import base
from cactus.config.sections.embeddings.base import MethodSettings
from cactus.embed.base import TrainedEmbedding
from cactus.embed.images import unit_range, write_picture


class Settings(MethodSettings):
    """Keys of the method."""

    steps: base.Count = base.setting(40, "Number of steps.")
    pause: float = base.setting(0.25, "Duration of a step.", unit="seconds")
    ballast: int = base.setting(0, "Extra memory to hold.", unit="MB")


class Method(TrainedEmbedding[Settings]):
    """A linear autoencoder."""

    def __init__(
        self, settings: Settings, shape: tuple[int, int, int], seed: int, device: torch.device
    ) -> None:
        super().__init__(settings, shape, seed, device)
        inputs = shape[2] * settings.working_size**2
        self.down = self.add_net("down", lambda: nn.Linear(inputs, 16))
        self.up = self.add_net("up", lambda: nn.Linear(16, inputs))
        self.adam = self.add_adam("adam", [self.down, self.up], 0.01)
        self.ballast = b"x" * (settings.ballast * 2**20)  # zeros would not use real memory

    @override
    def total_steps(self, count: int) -> int:
        return self.settings.steps

    @override
    def train_step(self, images: Tensor, indices: Tensor) -> dict[str, Tensor]:
        time.sleep(self.settings.pause)
        pixels = unit_range(images).flatten(1)
        noisy = pixels + 0.1 * self.uniform(*pixels.shape)
        loss = F.mse_loss(self.up(self.down(noisy)), pixels)
        self.adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.adam.step()
        return {"loss": loss.detach()}

    @override
    def encode_batch(self, images: Tensor) -> Tensor:
        vectors: Tensor = self.down(unit_range(images).flatten(1))
        return vectors

    @override
    def diagnose(self, images: npt.NDArray[np.uint8], path: Path) -> None:
        write_picture([unit_range(self.resident(images[:4]))], path)
