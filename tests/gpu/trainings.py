"""Trainings of a few steps on a device: the nets and options that a GPU computes in its own way."""

from contextlib import ExitStack
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from cactus.embed.base import TrainedEmbedding
from cactus.embed.registry import build
from cactus.meta.train import TaskSource, TrainState, train_step
from tests.unit.embed.tiny import settings
from tests.unit.meta.tiny import learner, task_source

OMNIGLOT: dict[str, Any] = {"dataset": "omniglot", "shape": (28, 28, 1)}
MINIIMAGENET: dict[str, Any] = {"dataset": "miniimagenet", "shape": (84, 84, 3)}
GRAPH: dict[str, Any] = {"cuda_graph": True}
BFLOAT16: dict[str, Any] = {"precision": "bfloat16"}
LEARNERS: dict[str, tuple[str, dict[str, Any]]] = {
    "maml": ("maml", OMNIGLOT),
    "maml, graph": ("maml", OMNIGLOT | GRAPH),
    "maml, graph, first order": ("maml", OMNIGLOT | GRAPH | {"first_order": True}),
    "maml, autograd": ("maml", OMNIGLOT | {"kernel": "autograd"}),
    "maml, miniImageNet": ("maml", MINIIMAGENET),
    "maml, miniImageNet, graph": ("maml", MINIIMAGENET | GRAPH),
    "protonets": ("protonets", OMNIGLOT),
    "protonets, miniImageNet": ("protonets", MINIIMAGENET),
    "protonets, bfloat16": ("protonets", OMNIGLOT | BFLOAT16),
}
EMBEDDINGS = ("acai", "bigan", "contrastive", "deepcluster", "infogan")


def meta_trained(case: str, device: torch.device, steps: int = 4, **changes: Any) -> list[Tensor]:
    """Return the losses of all steps, and the weights after the last."""
    name, keys = LEARNERS[case]
    # The paper's filters where a GPU chooses other kernels for them.
    filters = 4 if device.type == "cpu" else 32
    model = learner(name, **{"filters": filters, **keys, **changes}).to(device)
    model.arrange()
    source = task_source(shape=keys["shape"])
    state = TrainState.start(model, 0)
    train = TaskSource(source.images.to(device), source.sampler)
    losses = [train_step(state, train).loss for _ in range(steps)]
    return [*losses, *(value.detach() for value in model.state_dict().values())]


def embedding(
    name: str, device: torch.device, *, double: bool = False, **keys: Any
) -> TrainedEmbedding[Any]:
    """Return a tiny embedding that draws the same numbers on every device."""
    if name == "deepcluster":
        keys = {"dropout": 0.0, "clusters": 4, **keys}
    size = 28 if name == "deepcluster" else 16
    if name == "bigan":
        keys = {"raw_size": 16, **keys}
    method = build(name, settings(name, working_size=size, **keys), (size, size, 1), 0, device)
    assert isinstance(method, TrainedEmbedding)
    numbers = torch.Generator().manual_seed(5)
    kind = torch.float64 if double else torch.float32

    def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        drawn = torch.empty(shape).uniform_(low, high, generator=numbers)
        return drawn.to(device, kind)

    def codes(count: int) -> tuple[list[Tensor], Tensor]:
        sizes, width = method.settings.categorical, method.settings.continuous
        chosen = [torch.randint(n, (count,), generator=numbers).to(device) for n in sizes]
        return chosen, uniform(count, width, low=-1.0)

    method.uniform = uniform  # type: ignore[method-assign]
    if name == "infogan":
        method._draw_codes = codes  # type: ignore[attr-defined]
    if double:
        method.nets.double()
    method.nets.train()
    return method


def embedding_step(method: TrainedEmbedding[Any], steps: int = 1) -> list[Tensor]:
    """Return the metrics of each step, and the weights and gradients after the last."""
    size = method.settings.working_size
    noise = np.random.default_rng(0).integers(0, 256, (12, 1, size, size), dtype=np.uint8)
    images = torch.from_numpy(noise).to(method.device)
    indices = torch.arange(12, device=method.device)
    if hasattr(method, "labels"):
        method.labels = indices % 4
    found = []
    plain = {"deepcluster": "random_resized_crops", "contrastive": "random_views"}
    with ExitStack() as patched:
        for module, name in plain.items():
            patched.enter_context(
                mock.patch(f"cactus.embed.{module}.{name}", lambda images, *_, **__: images)
            )
        for _ in range(steps):
            found += list(method.train_step(images, indices).values())
    parameters = [one for net in method.nets.values() for one in net.parameters()]
    slopes = [one.grad for one in parameters if one.grad is not None]
    return [value.detach() for value in (*found, *parameters, *slopes)]
