"""Times a few training steps of each kind of network on random images, for ``cactus plan``."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import torch

from cactus.config.sections.base import BUILT_IN, DatasetName
from cactus.config.split_sizes import split_sizes
from cactus.embed.base import TrainedEmbedding
from cactus.embed.registry import build as build_embedding
from cactus.embed.registry import parse as parse_embedding
from cactus.errors import DataError
from cactus.files import read_json
from cactus.meta.registry import build as build_learner
from cactus.meta.registry import parse as parse_learner
from cactus.meta.train import TaskSource, TrainState, train_step
from cactus.provenance.staleness.estimate import job_kind
from cactus.provenance.staleness.measured import Measured, Range, this_host
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.work import counted_work
from cactus.stages.base import Job
from cactus.stages.meta_train import STAGE as META_TRAIN
from cactus.stages.train_embedding import STAGE as TRAIN_EMBEDDING
from cactus.tasks.episodes import PartitionSampler
from cactus.train.device import set_up_device

Step = Callable[[], object]

_SLOW_SECONDS: Final = 2.0
_MOST_STEPS: Final = 20
_TIMES: Final = 3
_CLUSTERS: Final = 40


def measure(planner: Planner, jobs: list[Job]) -> Iterator[tuple[Job, Measured]]:
    """Time the trainings among some jobs, one job of each kind; skip what cannot be timed so.

    Yields
    ------
    tuple
        The job, and the time of its kind.
    """
    seen: set[str] = set()
    for job in jobs:
        kind = job_kind(planner, job)
        if kind in seen or job.stage not in (META_TRAIN.name, TRAIN_EMBEDDING.name):
            continue
        work = counted_work(job, planner.assess(job).plan.spec)
        if not work:
            continue
        seen.add(kind)
        config = planner.config
        compute = config.compute
        device = set_up_device(compute.device, compute.threads, deterministic=compute.deterministic)
        found = (_learner if job.stage == META_TRAIN.name else _embedding)(planner, job, device)
        if found is not None:
            step, steps = found
            low, high = (value * steps / work for value in seconds_per_step(step, device))
            yield job, Measured(kind, this_host(), device.type, 0.0, low, high)


def seconds_per_step(step: Step, device: torch.device) -> Range:
    """Return the shortest and longest of a few times, each the mean of some steps."""
    times = [_seconds(step, 1, device)]  # the first step warms up; if it is slow, that is little
    if times[0] < _SLOW_SECONDS:
        steps = min(_MOST_STEPS, 1 + int(_SLOW_SECONDS / 2 / times[0]))
        times = [_seconds(step, steps, device) for _ in range(_TIMES)]
    else:
        times.append(_seconds(step, 1, device))
    return Range(min(times), max(times))


def _seconds(step: Step, steps: int, device: torch.device) -> float:
    start = time.perf_counter()
    for _ in range(steps):
        step()
    _wait(device)
    return (time.perf_counter() - start) / steps


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _learner(planner: Planner, job: Job, device: torch.device) -> tuple[Step, int]:
    """Return a step of a meta-training on random images, and its steps."""
    spec = META_TRAIN.spec(planner.config, META_TRAIN.parse(job.cell))
    settings, speed = parse_learner(spec.learner, spec.settings, spec.speed)
    shape = planner.config.data.image_shape(spec.dataset)
    clusters = max(_CLUSTERS, settings.way)
    labels = np.repeat(np.arange(clusters), settings.shot + settings.query)
    images = torch.from_numpy(_images(len(labels), shape)).to(device)
    sampler = PartitionSampler(labels[None], settings.way, settings.shot, settings.query)
    learner = build_learner(spec.learner, settings, speed, shape, seed=0, device=device)
    state, source = TrainState.start(learner, 0), TaskSource(images, sampler)
    return lambda: train_step(state, source), settings.iterations


def _embedding(planner: Planner, job: Job, device: torch.device) -> tuple[Step, int] | None:
    """Return a step of an embedding on random images, and its steps; None if it does more."""
    spec = TRAIN_EMBEDDING.spec(planner.config, TRAIN_EMBEDDING.parse(job.cell))
    settings = parse_embedding(spec.embedding, spec.settings)
    shape = planner.config.data.image_shape(spec.dataset)
    method = build_embedding(spec.embedding, settings, shape, 0, device)
    count = training_images(planner, spec.dataset)
    if (
        count is None
        or not isinstance(method, TrainedEmbedding)
        # It does more than steps, for example cluster all images in each epoch.
        or type(method).epoch_order is not TrainedEmbedding.epoch_order
    ):
        return None
    size = method.batch_size(count)
    resident, indices = method.resident(_images(size, shape)), torch.arange(size)
    method.nets.train()
    return lambda: method.train_step(resident, indices), method.total_steps(count)


def _images(count: int, shape: tuple[int, int, int]) -> Any:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


def training_images(planner: Planner, dataset: DatasetName) -> int | None:
    """Return the number of training images: of the prepared data, or else of the official one.

    None if neither is known.
    """
    try:
        manifest = read_json(planner.run_folder / "data" / dataset / "manifest.json")
        return int(manifest["splits"]["train"]["images"]["shape"][0])
    except (DataError, KeyError, TypeError, ValueError):
        pass
    if planner.config.synthetic_data or dataset not in BUILT_IN:
        return None
    return split_sizes(planner.config, dataset)["train"].images
