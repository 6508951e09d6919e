"""Where trainings and their tasks differ from the defaults, which follow the paper."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.printed.titles import IMAGES
from cactus.config.sections.base import DatasetName, Settings
from cactus.config.sections.embeddings.section import EmbeddingSettings
from cactus.config.sections.learners.section import LearnerSettings
from cactus.config.sections.partition import PartitionSettings
from cactus.config.sections.source import Source

if TYPE_CHECKING:
    from cactus.config.models import Config

Value = int | float | str
Change = tuple[str, str, Value, Value]
_LENGTHS: Final = ("iterations", "epochs", "decay_epochs")
_OF_EMBEDDING: Final = (
    *(*_LENGTHS, "batch_size", "learning_rate", "generator_rate", "discriminator_rate"),
)
_OF_LEARNER: Final = (
    *(*_LENGTHS, "way", "shot", "query", "tasks_per_batch"),
    *("outer_lr", "gradient_clip", "inner_lr", "inner_steps", "filters", "first_order"),
)
_PARTITIONS: Final = "partitions"  # in the place of a name
_MADE_OF: Final = {
    "kmeans": "of k-means",
    "pixels": "of pixels",
    "random": "of random labels",
    "hyperplanes": "of hyperplanes",
}


def schedule_changes(config: "Config", dataset: DatasetName) -> Iterator[Change]:
    """Yield what is not the default in the trainings of a data set's grid.

    Yields
    ------
    name, what, value, default
        The embedding, the meta-learner, the oracle of one, or "partitions"; the key, or "training
        images", or what makes the partitions; the value here, and by default.
    """
    grid = config.expanded_grid
    names = dict.fromkeys(name for one, name, _ in grid.embedding_runs if one == dataset)
    for name in names:
        if shipped := config.embeddings.shipped(name, dataset):
            method, ours = shipped
            usual = EmbeddingSettings().resolve(method, dataset)
            yield from _changes(name, ours, usual, _OF_EMBEDDING)
    cells = [cell for cell in grid.trained_cells if cell.dataset == dataset]
    sources = dict.fromkeys(cell.source for cell in cells)
    yield from dict.fromkeys(
        change for name in sources for change in _partitions(config, dataset, Source.parse(name))
    )
    yield from dict.fromkeys(
        change
        for learner, source in dict.fromkeys((cell.learner, cell.source) for cell in cells)
        for change in _of_learner(config, dataset, learner, source)
    )


def _of_learner(
    config: "Config", dataset: DatasetName, learner: str, source: str
) -> Iterator[Change]:
    name = f"oracle-{learner}" if source == "labels" else learner
    ours = config.learners.resolve(learner, dataset, source)
    if ours.augmentation.active:
        yield name, IMAGES, "augmented", "unchanged"
    if learner not in config.learners.custom:
        usual = LearnerSettings().resolve(learner, dataset, source)
        yield from _changes(name, ours, usual, _OF_LEARNER)


def _partitions(config: "Config", dataset: DatasetName, source: Source) -> Iterator[Change]:
    """Yield what differs in what a source reads, but for what its variant sets, as its row says."""
    if source.kind == "labels":
        return
    usual = PartitionSettings(variants=config.partitions.variants).of_source(source, dataset)
    ours = config.partitions.of_source(source, dataset)
    if source.kind in ("kmeans", "pixels"):
        yield from _changes(_PARTITIONS, ours, usual, ("clusters",))
    if source.kind == "kmeans":
        counts = ours.count, usual.count
    else:
        here, default = (getattr(one, source.kind) for one in (ours, usual))
        counts = here.count, default.count
    if source.kind == "random" and ours.random.labels != usual.random.labels:
        yield _PARTITIONS, "random labels", ours.random.labels, usual.random.labels
    if counts[0] != counts[1]:
        yield _PARTITIONS, _MADE_OF[source.kind], *counts


def _changes(name: str, ours: Settings, default: Settings, keys: Iterable[str]) -> Iterator[Change]:
    for key in keys:
        if key not in type(ours).model_fields or key not in type(default).model_fields:
            continue
        value, usual = getattr(ours, key), getattr(default, key)
        if value != usual:
            yield name, key, _shown(value), _shown(usual)


def _shown(value: Value | None) -> Value:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "no" if value is None else value
