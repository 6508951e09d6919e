"""Every kernel on a device, in float32 and in double precision, against double on the CPU."""

import numpy as np
import pytest
import torch

from cactus.tasks.kmeans.cpu_points import cpu_points
from cactus.tasks.kmeans.gpu_points import gpu_points
from cactus.tasks.kmeans.lloyd import lloyd
from tests.gpu.trainings import EMBEDDINGS, MINIIMAGENET, OMNIGLOT, embedding, embedding_step
from tests.unit.meta.tiny import CPU, gradients, learner, random_batch

# Relative to the largest entry of a tensor, or of a whole gradient: that of the parity tests on the
# CPU in double precision, and what a CPU keeps in float32 with some room.
BOUNDS = {torch.float64: 1e-10, torch.float32: 1e-4}
TYPES = pytest.mark.parametrize("dtype", BOUNDS, ids=["double", "float32"])
CASES = [
    ("maml", OMNIGLOT),
    ("maml", OMNIGLOT | {"kernel": "autograd"}),
    ("maml", OMNIGLOT | {"first_order": True, "tasks_at_once": 2}),
    ("maml", MINIIMAGENET),
    ("protonets", OMNIGLOT),
    ("protonets", MINIIMAGENET),
]
IMAGES = 60


def assert_near(mine, reference, bound):
    """Compare values by the largest of the reference; gradients that vanish have none."""
    mine, reference = (torch.cat([one.flatten().cpu().double() for one in values])
                       for values in (mine, reference))  # fmt: skip
    torch.testing.assert_close(mine, reference, rtol=0, atol=bound * float(reference.abs().max()))


def model_and_episodes(name, keys, device, dtype):
    model = learner(name, **keys).to(dtype).to(device)
    model.arrange()
    noise = np.random.default_rng(0).integers(0, 256, (IMAGES, *keys["shape"]), dtype=np.uint8)
    return model, torch.from_numpy(noise).to(device), random_batch(IMAGES, 3, 3, 2, 2)


@TYPES
@pytest.mark.parametrize(("name", "keys"), CASES)
def test_loss_and_meta_gradient(name, keys, device, dtype):
    found = []
    for where, kind in ((device, dtype), (CPU, torch.float64)):
        model, images, batch = model_and_episodes(name, keys, where, kind)
        metrics = model.accumulate_gradients(images, batch)
        found.append(([metrics.loss], gradients(model), metrics.accuracy))
    for mine, reference in zip(found[0][:2], found[1][:2], strict=True):
        assert_near(mine, reference, BOUNDS[dtype])
    assert float(found[0][2]) == pytest.approx(float(found[1][2]), abs=0.06)  # a query of 18


@TYPES
@pytest.mark.parametrize(("name", "keys"), CASES)
def test_evaluation(name, keys, device, dtype):
    if dtype == torch.float32 and name == "maml" and keys["dataset"] == "miniimagenet":
        # Of fifty inner steps, any may let a pool pick another pixel by float32's rounding, and
        # all later ones enlarge that: by 0.15 of the largest logit on some processors.
        keys = keys | {"evaluation_steps": 2}
    logits = []
    for where, kind in ((device, dtype), (CPU, torch.float64)):
        model, images, batch = model_and_episodes(name, keys, where, kind)
        logits.append(model.query_logits(images, batch).detach())
        right = model.accuracies(images, batch)
        assert right.shape == (3,)
    assert_near([logits[0]], [logits[1]], BOUNDS[dtype])


def losses_and_gradients(method):
    """Return both, of a step that leaves the weights as they are.

    Adam's first step is the sign of a gradient, also of one that is rounding alone, and InfoGAN's
    generator plays against a discriminator that has just moved.
    """
    for optimizer in method.optimizers.values():
        optimizer.step = lambda: None
    values = embedding_step(method)
    metrics = sum(value.ndim == 0 for value in values)
    assert metrics >= 2
    return values[:metrics], values[metrics + (len(values) - metrics) // 2 :]


@TYPES
@pytest.mark.parametrize("name", EMBEDDINGS)
def test_losses_and_gradients_of_embeddings(name, device, dtype, monkeypatch):
    double = dtype == torch.float64
    with monkeypatch.context() as patched:
        if double:
            patched.setattr(torch.Tensor, "float", torch.Tensor.double)
        mine = losses_and_gradients(embedding(name, device, double=double))
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    reference = losses_and_gradients(embedding(name, CPU, double=True))
    # Together: InfoGAN's bounds on the information are small differences of large terms.
    assert_near(mine[0], reference[0], BOUNDS[dtype])
    # The batch of 12 leaves float32 few digits of a gradient behind several normalizations, and
    # none of one that vanishes: 0.003 of InfoGAN's at worst on a CPU.
    bound = BOUNDS[dtype] if double else 0.01
    largest = max(float(value.abs().max()) for value in reference[1])
    for one, other in zip(mine[1], reference[1], strict=True):
        scale = max(float(other.abs().max()), largest / 100)
        torch.testing.assert_close(one.cpu().double(), other, rtol=0, atol=bound * scale)


def test_k_means(device):
    numbers = np.random.default_rng(0)
    centers = numbers.normal(size=(40, 12))
    points = centers[numbers.integers(40, size=600)] + 0.3 * numbers.normal(size=(600, 12))
    runs = []
    for load in (gpu_points(points, device), cpu_points(points.astype(np.float32), 1)):
        with load as there:
            runs.append(lloyd(there, points[:30].astype(np.float32), 100, 0.0))
    np.testing.assert_array_equal(runs[0].labels, runs[1].labels)
    assert runs[0].inertia == pytest.approx(runs[1].inertia, rel=1e-5)
