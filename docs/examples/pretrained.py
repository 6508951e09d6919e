"""A pretrained network of torchvision as an embedding, with its weights from a local file."""

# ruff: noqa: D102 - the protocol documents the methods

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.models import get_model
from torchvision.models.feature_extraction import create_feature_extractor

from cactus.config.sections import base
from cactus.embed.images import write_neighbors
from cactus.train.checkpoint import Checkpoints
from cactus.train.metrics import MetricsLog

Images = npt.NDArray[np.uint8]
Channels = tuple[float, float, float]


class Settings(base.Settings):
    """Keys under `embeddings.custom.<name>.settings`. Name the file of weights under `files`, too.

    The default normalization is that of torchvision's weights for ImageNet.
    """

    weights: str = base.setting("", "File with the network's state dict.")
    network: str = base.setting("resnet18", "Name of the network in torchvision.")
    layer: str = base.setting("avgpool", "Node of the network's graph whose output is the vector.")
    side: base.Count = base.setting(224, "Side of the network's input.", unit="pixels")
    mean: Channels = base.setting((0.485, 0.456, 0.406), "Mean of each channel.")
    std: Channels = base.setting((0.229, 0.224, 0.225), "Standard deviation of each channel.")
    batch: base.Count = base.setting(128, "Images at once.", unit="images")


class Method:
    """Features of a frozen network. Nothing is trained and nothing is drawn."""

    def __init__(
        self, settings: Settings, shape: tuple[int, int, int], seed: int, device: torch.device
    ) -> None:
        del shape, seed
        self.settings, self.device = settings, device
        self.net = get_model(settings.network, weights=None)
        self.load_state_dict(torch.load(settings.weights, map_location="cpu", weights_only=True))
        features = create_feature_extractor(self.net, {settings.layer: "features"})
        self.features = features.to(device).eval()

    def total_steps(self, count: int) -> int:
        return min(0, count)

    def fit(self, images: Images, log: MetricsLog, checkpoints: Checkpoints) -> None:
        del images, log, checkpoints  # the network is trained already

    @torch.inference_mode()
    def encode(self, images: Images) -> npt.NDArray[np.float32]:
        starts = range(0, len(images), self.settings.batch)
        parts = [self._encode(images[start : start + self.settings.batch]) for start in starts]
        return torch.cat(parts).numpy()

    def diagnose(self, images: Images, path: Path) -> None:
        some = images[:1000]
        write_neighbors(some, self.encode(some), path)

    def state_dict(self) -> dict[str, Tensor]:
        return {name: value.cpu() for name, value in self.net.state_dict().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.net.load_state_dict(state)

    def _encode(self, images: Images) -> Tensor:
        pixels = torch.tensor(images, device=self.device).permute(0, 3, 1, 2).float() / 255
        side = self.settings.side
        pixels = F.interpolate(pixels, (side, side), mode="bilinear", antialias=True)
        mean, std = (
            torch.tensor(one, device=self.device)[:, None, None]
            for one in (self.settings.mean, self.settings.std)
        )
        found: Tensor = self.features((pixels.expand(-1, 3, -1, -1) - mean) / std)["features"]
        return found.flatten(1).float().cpu()
