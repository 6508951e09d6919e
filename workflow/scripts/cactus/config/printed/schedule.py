"""Where trainings differ from the defaults, which follow the paper: lengths and augmentation."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.printed.titles import IMAGES
from cactus.config.sections.base import DatasetName, Settings
from cactus.config.sections.embeddings.section import EmbeddingSettings
from cactus.config.sections.learners.section import LearnerSettings

if TYPE_CHECKING:
    from cactus.config.models import Config

Change = tuple[str, str, int | str, int | str]
_LENGTHS: Final = ("iterations", "epochs", "decay_epochs")


def schedule_changes(config: "Config", dataset: DatasetName) -> Iterator[Change]:
    """Yield what is not the default in the trainings of a data set's grid.

    Yields
    ------
    name, what, value, default
        The embedding, the meta-learner or the oracle of one; the key of a length, or "training
        images"; its value here, and by default.
    """
    grid = config.expanded_grid
    names = dict.fromkeys(name for one, name, _ in grid.embedding_runs if one == dataset)
    for name in names:
        if found := config.embeddings.shipped(name, dataset):
            method, ours = found
            yield from _changes(name, ours, EmbeddingSettings().resolve(method, dataset))
    cells = [cell for cell in grid.trained_cells if cell.dataset == dataset]
    for learner, oracle in dict.fromkeys((cell.learner, cell.source == "labels") for cell in cells):
        name, source = (f"oracle-{learner}", "labels") if oracle else (learner, None)
        training = config.learners.resolve(learner, dataset, source)
        if training.augmentation.active:
            yield name, IMAGES, "augmented", "unchanged"
        if learner in config.learners.custom:
            continue
        yield from _changes(name, training, LearnerSettings().resolve(learner, dataset, source))


def _changes(name: str, ours: Settings, default: Settings) -> Iterator[Change]:
    for key in _LENGTHS:
        value, usual = (getattr(one, key, None) for one in (ours, default))
        if value is not None and usual is not None and value != usual:
            yield name, key, value, usual
