"""MAML as others write it: a loop over tasks, derived by PyTorch or through `higher`."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cactus.meta.maml.learner import Maml
from cactus.meta.maml.network import conv_same
from cactus.tasks.episodes import EpisodeBatch


class TaskNet(nn.Module):
    """MAML's network for one task, of stock modules in the default layout."""

    def __init__(self, model: Maml) -> None:
        super().__init__()
        self.pool = model.settings.downsampling == "max_pool"
        self.eps = model.settings.batch_norm_eps
        copies = (
            [nn.Parameter(p.detach().clone()) for p in ps] for ps in (model.weights, model.shifts)
        )
        self.weights, self.betas = (nn.ParameterList(parameters) for parameters in copies)

    def logits(self, images: Tensor, weights: Sequence[Tensor], betas: Sequence[Tensor]) -> Tensor:
        """Return the logits of images (n, C, H, W) as a function of the weights."""
        *convolutions, head, bias = weights
        for weight, beta in zip(convolutions, betas, strict=True):
            images = conv_same(images, weight, 1 if self.pool else 2, 1)
            ones = torch.ones_like(beta)
            images = F.batch_norm(images, None, None, ones, beta, training=True, eps=self.eps)
            images = F.relu(images)
            images = F.max_pool2d(images, 2) if self.pool else images
        features = images.flatten(1) if self.pool else images.mean((2, 3))
        way = bias.shape[0]
        return torch.addmm(bias, features, head[:, :way])


class Adapted(nn.Module):
    """The part of a network that inner steps change."""

    def __init__(self, net: TaskNet) -> None:
        super().__init__()
        self.weights, self._logits = net.weights, net.logits

    def forward(self, images: Tensor, betas: Sequence[Tensor]) -> Tensor:
        """Return the logits of images (n, C, H, W)."""
        return self._logits(images, list(self.weights), betas)


class Loop:
    """A loop over the tasks of a batch; gathering of images is not part of what is timed.

    Parameters
    ----------
    model
        Gives settings and weights.
    images
        uint8 (N, H, W, C).
    batch
        Episodes.
    """

    def __init__(self, model: Maml, images: Tensor, batch: EpisodeBatch) -> None:
        self.net, self.settings = TaskNet(model), model.settings
        scaled = images.permute(0, 3, 1, 2).float().contiguous() / 255
        self.device = images.device
        self.tasks = [
            tuple(scaled[torch.from_numpy(part.reshape(-1)).to(self.device)] for part in pair)
            for pair in zip(batch.support, batch.query, strict=True)
        ]
        _, self.way, self.shot = batch.support.shape
        self.query = batch.query.shape[2]

    def loss(self, logits: Tensor, per_class: int) -> Tensor:
        """Return the cross-entropy summed over classes."""
        labels = torch.arange(self.way, device=self.device).repeat_interleave(per_class)
        return F.cross_entropy(logits, labels, reduction="sum") / per_class

    def train(self) -> None:
        """Compute the meta-gradient with `torch.autograd.grad`."""
        for parameter in self.net.parameters():
            parameter.grad = None
        for support, query in self.tasks:
            weights = self._adapted(support, self.settings.inner_steps, train=True)
            logits = self.net.logits(query, weights, list(self.net.betas))
            (self.loss(logits, self.query) / len(self.tasks)).backward()  # type: ignore[no-untyped-call]

    def evaluate(self) -> Tensor:
        """Return predicted classes (T, n)."""
        predicted = []
        for support, query in self.tasks:
            weights = self._adapted(support, self.settings.evaluation_steps, train=False)
            with torch.no_grad():
                predicted.append(self.net.logits(query, weights, list(self.net.betas)).argmax(1))
        return torch.stack(predicted).cpu()

    def _adapted(self, support: Tensor, steps: int, *, train: bool) -> list[Tensor]:
        weights, betas = list(self.net.weights), list(self.net.betas)
        weights = weights if train else [weight[..., :] for weight in weights]
        graph = train and not self.settings.first_order
        for _ in range(steps):
            loss = self.loss(self.net.logits(support, weights, betas), self.shot)
            slopes = torch.autograd.grad(loss, weights, create_graph=graph)
            weights = [w - self.settings.inner_lr * s for w, s in zip(weights, slopes, strict=True)]
            if not train:
                weights = [weight.detach().requires_grad_() for weight in weights]
        return weights

    def train_with_higher(self) -> None:
        """Compute the meta-gradient through `higher`, which envs/bench.in has."""
        import higher

        net, settings = self.net, self.settings
        for parameter in net.parameters():
            parameter.grad = None
        # Shifts stay outside what higher knows: it would derive each inner loss in them, too, and
        # so sweep all the steps before it.
        adapted, betas = Adapted(net), list(net.betas)
        optimizer = torch.optim.SGD(adapted.parameters(), settings.inner_lr)
        for support, query in self.tasks:
            with higher.innerloop_ctx(adapted, optimizer, copy_initial_weights=False) as (
                fast,
                inner,
            ):
                for _ in range(settings.inner_steps):
                    inner.step(
                        self.loss(fast(support, betas), self.shot), grad_callback=self._callback()
                    )
                (self.loss(fast(query, betas), self.query) / len(self.tasks)).backward()  # type: ignore[no-untyped-call]

    def _callback(self) -> Callable[[list[Tensor]], list[Tensor]] | None:
        if not self.settings.first_order:
            return None
        return lambda slopes: [None if slope is None else slope.detach() for slope in slopes]
