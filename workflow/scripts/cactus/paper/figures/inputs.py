"""The inputs of every figure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from cactus.config.sections.outputs import OutputSettings
from cactus.errors import DataError
from cactus.paper.results import ALL_SEEDS, averaged_over_seeds
from cactus.paper.vocabulary import Titles, dataset_title


@dataclass(frozen=True)
class FigureInputs:
    """The run, its results and the settings.

    The rows of `results` also say which cells the run has; training logs, partitions and images are
    read from `run_folder`. `dataset` is None for a figure of the whole run. `partitions` has P and
    k of each task source whose partitions are made by k-means on an embedding, and a number that
    sources with the same other settings share; 0 for those of embeddings without a variant.
    `titles` are those of data sets of one's own.
    """

    run_folder: Path
    results: pd.DataFrame
    settings: OutputSettings
    dataset: str | None = None
    partitions: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    titles: Titles = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The printed name of `dataset`."""
        return dataset_title(str(self.dataset), self.titles)

    @property
    def averaged(self) -> pd.DataFrame:
        """The results averaged over seeds."""
        return averaged_over_seeds(self.results)

    @property
    def datasets(self) -> list[str]:
        """Data sets of the results, in print order."""
        return list(dict.fromkeys(self.results["dataset"]))

    @property
    def synthetic_datasets(self) -> list[str]:
        """Data sets that are synthetic."""
        return list(dict.fromkeys(self.results[self.results["synthetic"]]["dataset"]))

    def accuracy_label(self, dataset: str | None = None) -> str:
        """Return the label of an axis of accuracies, of all data sets or one; it names their split.

        Accuracies on test tasks, as in the paper, need no further words.
        """
        rows = self.results
        if dataset is not None:
            rows = rows[rows["dataset"] == dataset]
        others = list(dict.fromkeys(rows[rows["split"] != "test"]["dataset"]))
        if not others:
            return "accuracy [%]"
        if len(others) == rows["dataset"].nunique():
            return "validation accuracy [%]"
        names = ", ".join(dataset_title(name, self.titles) for name in others)
        return f"accuracy [%]\nof {names}: on validation tasks"

    @property
    def synthetic(self) -> bool:
        """Whether `dataset` is synthetic."""
        return self.dataset in self.synthetic_datasets

    def cells(self) -> pd.DataFrame:
        """Return the cells of `dataset`: ``source``, ``method``, ``learner``, ``seed``.

        Raises
        ------
        DataError
            The results have no rows for the data set.
        """
        rows = self.results[
            (self.results["dataset"] == self.dataset) & (self.results["seed"] != ALL_SEEDS)
        ]
        if rows.empty:
            raise DataError(
                "The data set has no results to draw.",
                where=str(self.run_folder),
                got=f"no row of {self.dataset}; there are {', '.join(self.datasets)}",
                fix="choose one of these data sets, or evaluate a cell of the missing one",
            )
        columns = ["source", "method", "learner", "seed"]
        return rows[columns].drop_duplicates().reset_index(drop=True)
