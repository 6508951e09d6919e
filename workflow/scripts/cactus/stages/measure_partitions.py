"""Compare the partitions of one cell with the true classes, for the report only."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName
from cactus.stages.base import CellStage, CellWildcards, Inputs, Spec, inputs_from

if TYPE_CHECKING:
    from cactus.config.models import Config


class MeasurePartitionsSpec(Spec):
    """One meta-trained cell."""

    dataset: DatasetName
    source: str
    learner: str
    seed: int


class MeasurePartitions(CellStage):
    """One job per meta-trained cell; none on CelebA, whose images have attributes, not classes.

    It reads true labels, so no training may read its results.
    """

    target = "quality"
    folder = "quality"
    results = ("quality.json", "quality.csv")
    main_result = "quality.csv"
    same_time = ("learner",)
    memory_mb = 2000

    def all_wildcards(self, config: "Config") -> Iterator[CellWildcards]:
        """Return the meta-trained cells of data sets with classes."""
        cells = (CellWildcards(*cell) for cell in config.expanded_grid.trained_cells)
        return (cell for cell in cells if cell.dataset != "celeba")

    def spec(self, config: "Config", wildcards: CellWildcards) -> MeasurePartitionsSpec:
        """Return the cell; no key of the configuration matters."""
        return MeasurePartitionsSpec(**wildcards._asdict())

    def inputs(self, config: "Config", wildcards: CellWildcards) -> Iterator[Inputs]:
        """Yield the partitions and the true labels of the training images."""
        yield inputs_from("prepare_data", wildcards.dataset, "manifest.json", "train_labels.npy")
        cell = self.job(**wildcards._asdict()).cell
        yield inputs_from("make_partitions", cell, "summary.json", "partitions.npy")


STAGE: Final = MeasurePartitions()
