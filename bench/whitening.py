"""Memory of DeepCluster's whitening at the size of CelebA, on features that are drawn."""

import argparse
import json
import time
from typing import Any

import torch
from torch import Tensor, nn

from bench.harness import THREADS, forget_peak, own_memory
from cactus.config.sections.embeddings.deepcluster import DeepclusterSettings
from cactus.embed.deepcluster import Method

CELEBA_IMAGES = 162_770


class _Drawn(nn.Module):
    """Stands for the trunk: correlated normal features (B, hidden)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(0)
        self.scales = torch.linspace(0.1, 2, hidden)

    def forward(self, images: Tensor) -> Tensor:
        """Draw one feature vector per image."""
        shape = len(images), len(self.scales)
        values = torch.randn(shape, generator=self.generator) * self.scales
        return values + values.roll(1, 1)


def measure(images: int, hidden: int, dims: int) -> dict[str, Any]:
    """Whiten features of many images; return the most memory that this took, in bytes."""
    # Tiny images in small batches, which take no memory worth mentioning.
    sizes = {"working_size": 32, "encode_batch_size": 100, "hidden": hidden, "dims": dims}
    settings = DeepclusterSettings.model_validate({**sizes, "clusters": 2, "per_dataset": {}})
    method: Any = Method(settings, (32, 32, 3), 0, torch.device("cpu"))
    method.trunk = _Drawn(hidden)
    resident = torch.zeros((1, 3, 32, 32), dtype=torch.uint8).expand(images, -1, -1, -1)
    method._whitened(resident[:100])  # loads what the libraries load late
    before = own_memory("VmRSS")
    forget_peak()
    start = time.perf_counter()
    vectors = method._whitened(resident)
    return {
        "images": images,
        "hidden": hidden,
        "dims": dims,
        "bytes_of_features": images * hidden * 4,
        "peak_memory_bytes": own_memory("VmHWM") - before,
        "seconds": round(time.perf_counter() - start, 1),
        "mean_norm": float(vectors.norm(dim=1).mean()),
    }


def main() -> None:
    """Print the memory as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=CELEBA_IMAGES)
    parser.add_argument("--hidden", type=int, default=4096)
    parser.add_argument("--dims", type=int, default=256)
    arguments = parser.parse_args()
    torch.set_num_threads(THREADS)
    print(json.dumps(measure(**vars(arguments)), indent=1))


if __name__ == "__main__":
    main()
