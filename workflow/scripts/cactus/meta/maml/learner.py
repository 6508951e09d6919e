"""MAML (Finn, Abbeel and Levine 2017), with the losses of CACTUs-MAML."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from cactus.config.sections.learners.maml import AtOnce, MamlSettings, MamlSpeed, ScratchSettings
from cactus.errors import EpisodeError
from cactus.meta.base import (
    MetaLearner,
    StepMetrics,
    checked_predictions,
    class_labels,
    cut,
    task_accuracies,
)
from cactus.meta.conv4 import ImageShape
from cactus.meta.images import gather_tasks, to_device
from cactus.meta.maml.chunks import ChunkPool, chunk_size
from cactus.meta.maml.cuda_graph import Function, GraphedFunction
from cactus.meta.maml.inner_loop import InnerLoop, Labeled
from cactus.meta.maml.network import TaskConv4
from cactus.tasks.episodes import EpisodeBatch
from cactus.train.device import require_gpu

# The names that jobs look for.
Settings, Speed, Scratch = MamlSettings, MamlSpeed, ScratchSettings


class Maml(MetaLearner):
    """An initialization from which a few gradient steps on the support learn an episode.

    The inner loss of a task is the cross-entropy summed over its support images and divided by
    the shot, the outer loss that summed over its query images and divided by their number per
    class: N times the mean at N-way, as in the original. Batch normalization always uses the
    current support or query batch, so a prediction depends on the other query images of its
    episode (transductive). Its betas are meta-learned and not adapted. For the parameters see
    `MetaLearner`.
    """

    name = "maml"
    settings: MamlSettings
    speed: MamlSpeed

    def __init__(
        self,
        settings: MamlSettings,
        speed: MamlSpeed,
        image_shape: ImageShape,
        generator: torch.Generator,
    ) -> None:
        super().__init__(settings, speed, image_shape)
        self._net = TaskConv4(
            image_shape,
            settings.filters,
            settings.way,
            downsampling=settings.downsampling,
            head=settings.head,
            batch_norm_eps=settings.batch_norm_eps,
        )
        self._loop = InnerLoop(self._net, settings.inner_lr)
        self._graphs: dict[int, GraphedFunction] = {}
        self._pool = ChunkPool()
        self.weights = nn.ParameterList(self._net.initial_weights(settings.head_init, generator))
        # The betas of the batch normalizations, under the name that stored models give them.
        self.shifts = nn.ParameterList(self._net.initial_betas())

    @override
    def check_device(self) -> None:
        """Reject CUDA graphs without a GPU."""
        if self.speed.cuda_graph:
            device, _ = self.parameter_like()
            require_gpu(device, "speed.maml.cuda_graph", "true")

    def accumulate_gradients(self, images: Tensor, batch: EpisodeBatch) -> StepMetrics:
        """Add the meta-gradient of the outer loss, averaged over the episodes, to `grad`."""
        tasks, way, _ = batch.query.shape
        self._check_way(way)
        chunks = cut(batch, self._chunk_size(batch, self.speed.tasks_at_once))
        manual = self.speed.kernel == "manual"
        add = self._accumulate_manual if manual else self._accumulate_autograd
        losses, accuracies = add(images, chunks, tasks)
        total, right = torch.stack(losses).sum(), torch.cat(accuracies).mean()
        return StepMetrics(total / (tasks * way), right)

    def _accumulate_autograd(
        self, images: Tensor, chunks: list[EpisodeBatch], tasks: int
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Add the meta-gradient over `tasks`; return losses and accuracies of each chunk."""
        losses, accuracies = [], []
        for chunk in chunks:
            loss, right = self.outer_loss(images, chunk)
            (loss / tasks).backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
            accuracies.append(right)
        return losses, accuracies

    def _accumulate_manual(
        self, images: Tensor, chunks: list[EpisodeBatch], tasks: int
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Do the same as `_accumulate_autograd` without a graph."""
        function = (
            self._graphed(images) if self.speed.cuda_graph else self._gradient_function(images)
        )

        def derive(chunk: EpisodeBatch) -> tuple[list[Tensor], Tensor, Tensor]:
            indices = (to_device(one, images.device) for one in (chunk.support, chunk.query))
            *gradients, logits = function(*indices)
            # Here, on the chunk's single thread, for the reason that `one_thread` gives.
            loss = summed_cross_entropy(logits, chunk.query.shape[2])
            return gradients, loss, task_accuracies(logits)

        gradients, losses, accuracies = zip(
            *self._pool.map(derive, chunks, images.device), strict=True
        )
        for parameter, *values in zip([*self.weights, *self.shifts], *gradients, strict=True):
            gradient = torch.stack(values).sum(0) / tasks
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        return list(losses), list(accuracies)

    def _gradient_function(self, images: Tensor) -> Function:
        """Return the map from support and query indices to all gradients and, last, the logits."""
        settings = self.settings

        def derive(support: Tensor, query: Tensor) -> list[Tensor]:
            tasks, way, per_class = query.shape
            at_once = self._together("auto", tasks, way * per_class, threads=1)
            result = self._loop.meta_gradient(
                list(self.weights),
                list(self.shifts),
                self._labeled(images, support),
                [self._labeled(images, piece) for piece in torch.split(query, at_once)],
                settings.inner_steps,
                second_order=not settings.first_order,
            )
            return [*result.weights, *result.betas, result.logits]

        return derive

    def _graphed(self, images: Tensor) -> Function:
        """Return `_gradient_function` as a CUDA graph.

        It stays valid, as weights change in place and images do not move.
        """
        address = images.data_ptr()
        if address not in self._graphs:
            self._graphs[address] = GraphedFunction(self._gradient_function(images))
        return self._graphs[address]

    def outer_loss(self, images: Tensor, batch: EpisodeBatch) -> tuple[Tensor, Tensor]:
        """Return the outer loss summed over episodes, with its graph, and accuracies (T,)."""
        steps, second_order = self.settings.inner_steps, not self.settings.first_order
        weights = self._adapt(images, batch, steps, second_order=second_order)
        logits = self._query_logits(images, batch, weights)
        loss = summed_cross_entropy(logits, batch.query.shape[2])
        return loss, task_accuracies(logits.detach())

    def predicted_positions(self, images: Tensor, batch: EpisodeBatch) -> Tensor:
        """Return predictions after the inner steps of evaluation, int64 (T, way, query)."""

        def score(chunk: EpisodeBatch) -> Tensor:
            return self.query_logits(images, chunk)

        self._check_way(batch.support.shape[1])
        chunks = cut(batch, self._evaluation_chunk_size(batch))
        if self.speed.kernel == "manual":
            logits = self._pool.map(score, chunks, images.device)
        else:
            logits = [score(chunk) for chunk in chunks]
        where = f"learners.{self.name}"
        return checked_predictions(torch.cat(logits), where).view(batch.query.shape)

    def episodes_at_once(self, batch: EpisodeBatch) -> int:
        """Return the episodes of several chunks for each thread."""
        return 4 * torch.get_num_threads() * self._evaluation_chunk_size(batch)

    def query_logits(self, images: Tensor, batch: EpisodeBatch) -> Tensor:
        """Return the logits after the inner steps of evaluation, (T, way*query, way)."""
        steps = self.settings.evaluation_steps
        self._check_way(batch.support.shape[1])
        if self.speed.kernel == "manual":
            support = self._labeled(images, to_device(batch.support, images.device))
            query = self._images(images, to_device(batch.query, images.device))
            return self._loop.query_logits(
                list(self.weights), list(self.shifts), support, query, steps
            )
        weights = self._adapt(images, batch, steps, second_order=False)
        with torch.no_grad():
            return self._query_logits(images, batch, weights)

    def _adapt(
        self, images: Tensor, batch: EpisodeBatch, steps: int, *, second_order: bool
    ) -> list[Tensor]:
        """Return the weights (T, ...) after gradient steps on the support."""
        tasks, way, shot = batch.support.shape
        support = self._images(images, to_device(batch.support, images.device))
        weights = [weight.expand(tasks, *weight.shape) for weight in self.weights]
        for _ in range(steps):
            logits = self._net.logits(support, weights, list(self.shifts), way)
            loss = summed_cross_entropy(logits, shot)
            gradients = torch.autograd.grad(loss, weights, create_graph=second_order)
            weights = [
                weight.sub(gradient, alpha=self.settings.inner_lr)
                for weight, gradient in zip(weights, gradients, strict=True)
            ]
        return weights

    def _query_logits(self, images: Tensor, batch: EpisodeBatch, weights: list[Tensor]) -> Tensor:
        query = self._images(images, to_device(batch.query, images.device))
        return self._net.logits(query, weights, list(self.shifts), batch.query.shape[1])

    def _chunk_size(self, batch: EpisodeBatch, chosen: AtOnce) -> int:
        """Return how many episodes of a batch to compute together."""
        tasks, way, shot = batch.support.shape
        return self._together(chosen, tasks, way * shot, torch.get_num_threads())

    def _evaluation_chunk_size(self, batch: EpisodeBatch) -> int:
        """Return the same for evaluation, which on a GPU has to hold the whole query, too."""
        tasks, way, shot = batch.support.shape
        device, _ = self.parameter_like()
        images = shot if device.type == "cpu" else max(shot, batch.query.shape[2])
        chosen = self.speed.evaluation_tasks_at_once
        return self._together(chosen, tasks, way * images, torch.get_num_threads())

    def _together(self, chosen: AtOnce, tasks: int, images: int, threads: int) -> int:
        """Return how many tasks of so many images each to compute together."""
        device, dtype = self.parameter_like()
        height, width, _ = self.image_shape
        values = images * self.settings.filters * height * width // self._net.stride**2
        return chunk_size(chosen, tasks, values * dtype.itemsize, device, threads)

    def _labeled(self, images: Tensor, indices: Tensor) -> Labeled:
        _, way, per_class = indices.shape
        return Labeled(self._images(images, indices), way, per_class)

    def _images(self, images: Tensor, indices: Tensor) -> Tensor:
        _, dtype = self.parameter_like()
        return gather_tasks(images, indices.flatten(1), dtype)

    def _check_way(self, way: int) -> None:
        if way > self._net.way:
            raise EpisodeError(
                "An episode has more classes than MAML's head.",
                where="maml",
                got=f"{way}-way episodes for a head of {self._net.way} classes",
                fix=f"set learners.maml.way to at least {way}, or score fewer classes",
            )


def summed_cross_entropy(logits: Tensor, per_class: int) -> Tensor:
    """Return the cross-entropy summed over tasks and images, divided by the images per class.

    Parameters
    ----------
    logits
        (T, way*per_class, way); the images are in the order of their classes.
    """
    tasks, _, way = logits.shape
    labels = class_labels(way, per_class, logits.device).repeat(tasks)
    return F.cross_entropy(logits.flatten(0, 1), labels, reduction="sum") / per_class
