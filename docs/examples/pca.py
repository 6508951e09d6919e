"""A fifth embedding, complete: principal components of the pixels."""

# ruff: noqa: D102 - the protocol documents the methods

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cactus.config import base
from cactus.embed.images import square_images, unit_range, write_picture
from cactus.train.checkpoint import Checkpoints
from cactus.train.metrics import MetricsLog

Images = npt.NDArray[np.uint8]


class Settings(base.Settings):
    """Keys under `embeddings.custom.<name>.settings`."""

    dims: base.Count = base.setting(64, "Principal components kept.")


class Method:
    """Principal components of the pixels. Nothing is random, so the seed has no use."""

    def __init__(
        self, settings: Settings, shape: tuple[int, int, int], seed: int, device: torch.device
    ) -> None:
        del seed
        self.dims, self.side, self.channels, self.device = settings.dims, shape[0], shape[2], device
        self.state: dict[str, Tensor] = {}

    def total_steps(self, count: int) -> int:
        return min(1, count)

    def fit(self, images: Images, log: MetricsLog, checkpoints: Checkpoints) -> None:
        del checkpoints  # one step is not worth saving
        pixels = self._pixels(images)
        variances, axes = torch.linalg.eigh(torch.cov(pixels.T))
        self.state = {"mean": pixels.mean(0), "axes": axes.flip(1)[:, : self.dims].contiguous()}
        log.write(1, explained=float(variances[-self.dims :].sum() / variances.sum()))

    def encode(self, images: Images) -> npt.NDArray[np.float32]:
        vectors = (self._pixels(images) - self.state["mean"]) @ self.state["axes"]
        return np.asarray(vectors.cpu().numpy(), dtype=np.float32)

    def diagnose(self, images: Images, path: Path) -> None:
        vectors = torch.from_numpy(self.encode(images[:10])).to(self.device)
        rows = self._pixels(images[:10]), vectors @ self.state["axes"].T + self.state["mean"]
        write_picture([r.reshape(-1, self.channels, self.side, self.side) for r in rows], path)

    def state_dict(self) -> dict[str, Tensor]:
        return {name: value.cpu() for name, value in self.state.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.state = {name: value.to(self.device) for name, value in state.items()}

    def _pixels(self, images: Images) -> Tensor:
        return unit_range(square_images(images, self.side, self.device)).flatten(1)
