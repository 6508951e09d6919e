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
_OF_EMBEDDING: Final = (*_LENGTHS, "batch_size", "learning_rate")
_OF_LEARNER: Final = (
    *(*_LENGTHS, "way", "shot", "query", "tasks_per_batch"),
    *("outer_lr", "gradient_clip", "inner_lr", "inner_steps", "filters"),
)
_PARTITIONS: Final = "partitions"  # in the place of a name
_NONE: Final = "no"


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
    yield from _partitions(config, dataset, {Source.parse(cell.source).kind for cell in cells})
    said: set[Change] = set()
    for learner, oracle in dict.fromkeys((cell.learner, cell.source == "labels") for cell in cells):
        name, source = (f"oracle-{learner}", "labels") if oracle else (learner, None)
        training = config.learners.resolve(learner, dataset, source)
        if training.augmentation.active:
            yield name, IMAGES, "augmented", "unchanged"
        if learner in config.learners.custom:
            continue
        default = LearnerSettings().resolve(learner, dataset, source)
        found = list(_changes(learner, training, default, _OF_LEARNER))
        # What an oracle shares with its learner is said once.
        yield from ((name, *one[1:]) for one in found if not (oracle and one in said))
        said |= set(found)


def _partitions(config: "Config", dataset: DatasetName, kinds: set[str]) -> Iterator[Change]:
    ours, usual = (one.resolve(dataset) for one in (config.partitions, PartitionSettings()))
    if "kmeans" in kinds:
        yield from _changes(_PARTITIONS, ours, usual, ("clusters",))
    counts = {
        "kmeans": ("of k-means", ours.count, usual.count),
        "random": ("of random labels", ours.random.count, usual.random.count),
        "hyperplanes": ("of hyperplanes", ours.hyperplanes.count, usual.hyperplanes.count),
    }
    for kind, (text, here, default) in counts.items():
        if kind in kinds and here != default:
            yield _PARTITIONS, text, here, default


def _changes(name: str, ours: Settings, default: Settings, keys: Iterable[str]) -> Iterator[Change]:
    for key in keys:
        if key not in type(ours).model_fields or key not in type(default).model_fields:
            continue
        value, usual = getattr(ours, key), getattr(default, key)
        if value != usual:
            yield name, key, _NONE if value is None else value, _NONE if usual is None else usual
