"""A training step that never makes the host wait for the device.

On a CPU nothing waits, so the operations that would are noted: those that hand a value to
Python or whose result's shape depends on values, and copies from the device.
"""

from contextlib import ExitStack
from unittest import mock

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from cactus.meta.images import to_device
from cactus.meta.train import TaskSource, TrainState, meta_train, train_step
from tests.unit.checkpoints import none
from tests.unit.meta.tiny import learner, task_source

SHAPE = (16, 16, 1)
WAITING = {
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.nonzero.default,
    torch.ops.aten.masked_select.default,
    torch.ops.aten.equal.default,
    torch.ops.aten.is_nonzero.default,
    torch.ops.aten._unique2.default,
}
READING = ("tolist", "numpy", "cpu", "__array__")


class Guard(TorchDispatchMode):
    """Note operations that wait for the device.

    `host` are tensors that stay on the host beside a model on a GPU, as Adam's counters do.
    """

    def __init__(self, host=()):
        super().__init__()
        self.waits = []
        self._host = {tensor.data_ptr() for tensor in host}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if self._waits(func, args, kwargs):
            self.waits.append(str(func))
        return func(*args, **kwargs)

    def _waits(self, func, args, kwargs):
        if func in WAITING:
            return args[0].data_ptr() not in self._host
        if func is torch.ops.aten.index.Tensor:
            return any(index is not None and index.dtype == torch.bool for index in args[1])
        copies = func is torch.ops.aten._to_copy.default
        return copies and kwargs.get("device") not in (None, args[0].device)


@pytest.fixture
def refusing():
    """Refuse, too, the methods that read a CPU tensor without any operation."""
    with ExitStack() as stack:
        for method in READING:
            error = AssertionError(f"{method} waits for the device")
            stack.enter_context(mock.patch.object(torch.Tensor, method, side_effect=error))
        yield


@pytest.mark.parametrize(
    "waiting",
    [
        lambda x: x.sum().item(),
        lambda x: bool(x.sum() > 0),
        lambda x: float(x[0]),
        lambda x: x.nonzero(),
        lambda x: x[x > 0],
        lambda x: x.to("meta"),
        lambda x: torch.equal(x, x),
    ],
)
def test_the_guard_notes_what_waits(waiting):
    with Guard() as guard:
        waiting(torch.ones(3))
    assert guard.waits


@pytest.mark.usefixtures("refusing")
@pytest.mark.parametrize("method", READING)
def test_reading_is_refused(method):
    with pytest.raises(AssertionError, match="waits"):
        getattr(torch.ones(3), method)()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        *(
            ("maml", {"kernel": kernel, "first_order": first, "gradient_clip": 10.0})
            for kernel in ("manual", "autograd")
            for first in (False, True)
        ),
        ("protonets", {}),
    ],
)
@pytest.mark.usefixtures("refusing")
def test_a_training_step_does_not_wait(name, changes):
    # One part at once: the guard sees the operations of its own thread.
    model = learner(name, shape=SHAPE, **changes, **({"tasks_at_once": 3} if changes else {}))
    state, source = TrainState.start(model, 0), task_source(shape=SHAPE)
    train_step(state, source)
    counters = [values["step"] for values in state.optimizer.state.values()]
    with Guard(host=counters) as guard:
        train_step(state, source)
    assert guard.waits == []


class NotingSampler:
    """Note how often a tensor was read before each batch of episodes."""

    def __init__(self, sampler, reads):
        self._sampler, self._reads, self.images = sampler, reads, sampler.images
        self.before = []

    def sample(self, generator, tasks):
        self.before.append(len(self._reads))
        return self._sampler.sample(generator, tasks)


@pytest.mark.parametrize("name", ["maml", "protonets"])
def test_the_next_episodes_are_drawn_before_anything_waits_for_the_last_ones(name, tmp_path):
    """So a GPU still computes on them meanwhile; only lines of the log wait for it."""
    model = learner(name, shape=SHAPE, iterations=6, log_every=4, double=True)
    source, reads = task_source(shape=SHAPE), []
    sampler = NotingSampler(source.sampler, reads)
    with ExitStack() as stack:
        for method in (*READING, "item", "__float__", "__bool__"):
            plain = getattr(torch.Tensor, method)

            def noted(tensor, *arguments, plain=plain, **options):
                if tensor.dtype != torch.float32:  # of which only Adam's counters are, on the host
                    reads.append(plain)
                return plain(tensor, *arguments, **options)

            stack.enter_context(mock.patch.object(torch.Tensor, method, noted))
        meta_train(
            model, TaskSource(source.images, sampler), None, tmp_path,
            seed=0, label="tiny", record={}, checkpoints=none(tmp_path),
        )  # fmt: skip
    line = sampler.before[4]
    assert line > 0
    assert sampler.before == [0, 0, 0, 0, line, line]


def test_indices_reach_a_gpu_from_pinned_memory_without_waiting():
    pinned = mock.Mock()
    with mock.patch.object(torch.Tensor, "pin_memory", return_value=pinned):
        to_device(np.arange(3), torch.device("cuda"))
    pinned.to.assert_called_once_with(torch.device("cuda"), non_blocking=True)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize(
    ("name", "changes"), [("maml", {}), ("maml", {"cuda_graph": True}), ("protonets", {})]
)
def test_the_next_episodes_are_drawn_while_the_gpu_computes(name, changes):
    device = torch.device("cuda")
    model, source = learner(name, shape=SHAPE, **changes).to(device), task_source(shape=SHAPE)
    train = TaskSource(source.images.to(device), source.sampler)
    state = TrainState.start(model, 0)
    for _ in range(3):
        train_step(state, train)
    torch.cuda.synchronize()
    computed = torch.cuda.Event()
    torch.cuda._sleep(2_000_000_000)  # cycles: about a second
    train_step(state, train)
    computed.record()
    train.sampler.sample(state.episodes, 3)
    assert not computed.query()
    torch.cuda.synchronize()
