"""With deterministic kernels: two runs, runs side by side, and graphs give the same bits."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import torch

from tests.gpu.trainings import EMBEDDINGS, LEARNERS, embedding, embedding_step, meta_trained
from tests.kills.trainers import train, write_data


def equal(first, second):
    return all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("case", LEARNERS)
def test_two_trainings_are_bit_equal(case, device):
    first, second = (meta_trained(case, device) for _ in "ab")
    assert all(value.isfinite().all() for value in first)
    assert equal(first, second)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", EMBEDDINGS)
def test_two_embeddings_are_bit_equal(name, precision, device):
    first, second = (
        embedding_step(embedding(name, device, precision=precision), steps=3) for _ in "ab"
    )
    assert all(value.isfinite().all() for value in first)
    assert equal(first, second)


@pytest.mark.parametrize("case", ["maml, graph", "maml, miniImageNet, graph"])
@pytest.mark.parametrize("at_once", [2, 3])
def test_a_graph_computes_what_its_kernels_do(case, at_once, device):
    graph, plain = (
        meta_trained(case, device, cuda_graph=on, tasks_at_once=at_once) for on in (True, False)
    )
    for mine, expected in zip(graph, plain, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", ["protonets"])
def test_protonets_in_bfloat16_are_close_to_float32(case, device):
    low, full = (
        meta_trained(case, device, steps=1, precision=one)[0] for one in ("bfloat16", "float32")
    )
    assert float(low) != float(full)
    assert float(low) == pytest.approx(float(full), rel=0.1)


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_embeddings_in_bfloat16_are_close_to_float32(name, device):
    low, full = (
        embedding_step(embedding(name, device, precision=one)) for one in ("bfloat16", "float32")
    )
    # BiGAN's discriminator starts with a last layer of zeros: its first losses do not differ.
    assert any(not torch.equal(mine, other) for mine, other in zip(low, full, strict=True))
    losses = [[float(value) for value in values if value.ndim == 0] for values in (low, full)]
    assert losses[0] == pytest.approx(losses[1], rel=0.1, abs=0.05)


@pytest.mark.parametrize("jobs", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_jobs_that_share_a_device_compute_as_one_alone(jobs, device, tmp_path: Path):
    write_data(tmp_path)
    names = ["maml", "protonets", "acai", "maml"][:jobs]
    context = multiprocessing.get_context("spawn")

    def contents(folder):
        return {path.name: path.read_bytes() for path in (folder / "output").iterdir()}

    work = partial(train, every=None, device=device.type)
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        together = [
            pool.submit(work, name, tmp_path, tmp_path / f"together-{at}")
            for at, name in enumerate(names)
        ]
        for task in together:
            task.result()
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        for name in dict.fromkeys(names):
            pool.submit(work, name, tmp_path, tmp_path / name).result()
    for at, name in enumerate(names):
        assert contents(tmp_path / f"together-{at}") == contents(tmp_path / name)
