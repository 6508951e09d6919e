"""The inputs of every figure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from cactus.config.printed.titles import UNTITLED, Titles
from cactus.config.sections.outputs import OutputSettings
from cactus.config.sections.source import Source
from cactus.errors import DataError
from cactus.paper.results import ALL_SEEDS, averaged_over_seeds
from cactus.paper.style import MM, SMALL, add_dataset_title, message_figure
from cactus.paper.vocabulary import is_embedding, source_rank


class SourceCell(NamedTuple):
    """A task source, and the meta-learner and seed whose partitions are shown."""

    source: str
    learner: str
    seed: str

    @property
    def folder(self) -> str:
        """The cell's name in result paths, without its data set."""
        return f"{self.source}/{self.learner}/s{self.seed}"


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dictionaries."""
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


@dataclass(frozen=True)
class FigureInputs:
    """The run, its results and the settings.

    The rows of `results` also say which cells the run has; training logs, partitions and images are
    read from `run_folder`. `dataset` is None for a figure of the whole run. `partitions` has P and
    k of each task source whose partitions are made by k-means on an embedding, and a number that
    sources with the same other settings share; 0 for those of embeddings without a variant.
    `titles` are those of what the study adds. `augmented` are meta-learners that change the
    images of their training episodes.
    """

    run_folder: Path
    results: pd.DataFrame
    settings: OutputSettings
    dataset: str | None = None
    partitions: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    titles: Titles = UNTITLED
    augmented: Sequence[str] = ()

    @property
    def column(self) -> float:
        """Width of a figure in one column, in inches."""
        return self.settings.column_width * MM

    @property
    def page(self) -> float:
        """Width of a figure on the whole page, in inches."""
        return self.settings.page_width * MM

    def width(self, needed: float) -> float:
        """Return the narrower of the two widths that is enough, or that of the page."""
        return self.column if needed <= self.column else self.page

    @property
    def small(self) -> float:
        """The smallest font size, in points."""
        return SMALL * self.settings.font_size

    @property
    def title(self) -> str:
        """The printed name of `dataset`."""
        return self.titles.dataset(str(self.dataset))

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
        names = ", ".join(self.titles.dataset(name) for name in others)
        return f"accuracy [%]\nof {names}: on validation tasks"

    @property
    def synthetic(self) -> bool:
        """Whether `dataset` is synthetic."""
        return self.dataset in self.synthetic_datasets

    def message(self, text: str) -> Figure:
        """Return a figure of `dataset` that says why there is nothing to show."""
        figure = message_figure(text, self.column)
        add_dataset_title(figure, self.title, synthetic=self.synthetic)
        return figure

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

    def first_cells(self) -> list[SourceCell]:
        """Return the cell of each source with stored partitions: first meta-learner, first seed."""
        first: dict[str, SourceCell] = {}
        cells = [SourceCell(*row[:1], *row[2:]) for row in self.cells().itertuples(index=False)]
        for cell in sorted(cells, key=lambda cell: (cell.learner, int(cell.seed))):
            no_partitions = not cell.learner or cell.source == "scratch"
            pools = self.dataset == "celeba" and cell.source == "labels"
            if not (no_partitions or pools):
                first.setdefault(cell.source, cell)
        return sorted(first.values(), key=lambda cell: source_rank(cell.source))

    def embedded_cells(self) -> list[SourceCell]:
        """Return those of `first_cells` whose source is an embedding."""
        return [cell for cell in self.first_cells() if is_embedding(cell.source)]

    def embeddings(self) -> dict[str, list[str]]:
        """Return the seeds of each embedding that a cell needs, in print order."""
        seeds = defaultdict(set)
        cells = self.cells()
        for source, seed in zip(cells["source"], cells["seed"], strict=True):
            embedding = Source.parse(source).embedding
            if embedding is not None:
                seeds[embedding].add(seed)
        return {name: sorted(seeds[name], key=int) for name in sorted(seeds, key=source_rank)}
