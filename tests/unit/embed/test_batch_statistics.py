"""Encoding normalizes by statistics of real training images and of the trained weights."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cactus.embed.registry import build

# Image sizes are even, without random crops, and batches of 16 cover the 240 images.
METHODS = {"bigan": ("encoder", {"raw_size": 16}), "infogan": ("recognition", {})}


def _norms(net: nn.Module) -> dict[str, Any]:
    kinds = nn.BatchNorm1d | nn.BatchNorm2d
    return {name: module for name, module in net.named_modules() if isinstance(module, kinds)}


def _seen(embedding, images, net: nn.Module) -> dict[str, np.ndarray]:
    """Return what enters each batch norm while `images` are encoded, channels last."""
    seen = {}
    hooks = [
        norm.register_forward_hook(
            lambda _, inputs, __, name=name: seen.update(
                {name: inputs[0].detach().double().numpy()}
            )
        )
        for name, norm in _norms(net).items()
    ]
    embedding.encode(images)
    for hook in hooks:
        hook.remove()
    return {name: np.moveaxis(values, 1, -1) for name, values in seen.items()}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("joint", [True, False])
def test_training_images_are_normalized(method: str, joint: bool, tiny_settings, fit, blobs):
    part, keys = METHODS[method]
    embedding = fit(method, tiny_settings(method, joint_batch=joint, **keys), blobs[0])
    net = embedding.nets[part]
    first, *_ = names = list(_norms(net))
    for name, values in _seen(embedding, blobs[0], net).items():
        norm = _norms(net)[name]
        axes = tuple(range(values.ndim - 1))
        mean, variance = values.mean(axes), values.var(axes)
        shift = np.abs(norm.running_mean.numpy() - mean) / np.sqrt(variance)
        assert shift.max() < (1e-4 if name == first else 0.2)  # deeper ones see rounding of these
        np.testing.assert_allclose(norm.running_var, variance, rtol=0.3)
    assert len(names) == {"bigan": 1, "infogan": 3}[method]


@pytest.mark.parametrize("method", METHODS)
def test_statistics_are_the_mean_over_batches(method: str, tiny_settings, fit, blobs) -> None:
    part, keys = METHODS[method]
    embedding = fit(method, tiny_settings(method, **keys), blobs[0])
    net = embedding.nets[part]
    first, norm = next(iter(_norms(net).items()))
    means, variances = [], []
    for batch in embedding.random_batches(torch.from_numpy(blobs[0])):
        values = _seen(embedding, batch.numpy(), net)[first]
        flat = values.reshape(-1, values.shape[-1])
        means.append(flat.mean(0))
        variances.append(flat.var(0, ddof=1))
    np.testing.assert_allclose(norm.running_mean, np.mean(means, 0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.running_var, np.mean(variances, 0), rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_what_training_gathered_is_forgotten(method: str, tiny_settings, fit, blobs) -> None:
    part, keys = METHODS[method]
    embedding = fit(method, tiny_settings(method, **keys), blobs[0])
    wanted = embedding.encode(blobs[0])
    for norm in _norms(embedding.nets[part]).values():
        norm.running_mean.fill_(7)
        norm.running_var.fill_(9)
    assert not np.allclose(embedding.encode(blobs[0]), wanted)
    embedding.finish(embedding.resident(blobs[0]))
    assert np.array_equal(embedding.encode(blobs[0]), wanted)
    assert not any(module.training for module in embedding.nets[part].modules())
    assert {norm.momentum for norm in _norms(embedding.nets[part]).values()} == {0.1}


@pytest.mark.parametrize("count", [2, 15, 16, 17, 50])
def test_random_batches(count: int, tiny_settings) -> None:
    embedding = build("infogan", tiny_settings("infogan"), (16, 16, 1), 3, torch.device("cpu"))
    resident = torch.arange(count)
    batches = list(embedding.random_batches(resident))
    assert [len(batch) for batch in batches] == [min(16, count)] * max(1, count // 16)
    order = torch.cat(batches).tolist()
    assert len(set(order)) == len(order)
    assert count < 10 or order != sorted(order)
    embedding.order_generator.manual_seed(5)
    assert torch.cat(list(embedding.random_batches(resident))).tolist() == order
