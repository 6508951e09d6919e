"""Draw a figure as PDF and PNG, and write the map from its numbers to the results."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from cactus.config.sections.base import DatasetName
from cactus.config.sections.outputs import OutputSettings, figure_names
from cactus.config.sections.partition import keys_read
from cactus.config.sections.source import Source
from cactus.stages.base import Inputs, Spec, Stage, inputs_from

if TYPE_CHECKING:
    from cactus.config.models import Config
    from cactus.config.sections.grid import Cell

# Keys of `outputs` that one kind of figure reads, besides those that all figures read.
_FIGURE_KEYS: Final = {"training_curves": {"curve_points"}, "tasks": {"contact_sheet"}}


class FigureWildcards(NamedTuple):
    """The wildcards of a stage with one job per figure, ``<figure>`` or ``<figure>-<dataset>``."""

    figure: str

    @property
    def parts(self) -> tuple[str, DatasetName | None]:
        """The figure's kind, and its data set if it shows only one."""
        kind, _, dataset = self.figure.partition("-")
        return kind, dataset or None


class MakeFigureSpec(Spec):
    """A figure of the whole run or of one data set."""

    figure: str
    dataset: DatasetName | None
    settings: OutputSettings
    partitions: dict[str, tuple[int, int, int]]  # by task source, see `_partition_numbers`
    titles: dict[str, str]  # of data sets of one's own


class MakeFigure(Stage[FigureWildcards]):
    """One job per figure."""

    wildcards = FigureWildcards
    target = "figures"
    results = ("figures/{cell}.pdf", "figures/{cell}.png", "figures/{cell}.map.json")
    final = True
    local = True

    def all_wildcards(self, config: "Config") -> Iterator[FigureWildcards]:
        """Return the names of all figures."""
        names = figure_names(config.outputs, config.expanded_grid.datasets)
        return (FigureWildcards(name) for name in names)

    def spec(self, config: "Config", wildcards: FigureWildcards) -> MakeFigureSpec:
        """Return the keys that the figure reads."""
        kind, dataset = wildcards.parts
        read = {"font_size", "dpi", *_FIGURE_KEYS.get(kind, ())}
        settings = OutputSettings.model_validate(config.outputs.model_dump(include=read))
        numbers = _partition_numbers(config, dataset) if kind == "partitions" and dataset else {}
        return MakeFigureSpec(
            figure=kind,
            dataset=dataset,
            settings=settings,
            partitions=numbers,
            titles=config.custom_titles(dataset),
        )

    def inputs(self, config: "Config", wildcards: FigureWildcards) -> Iterator[Inputs]:
        """Yield the results, and what else the figure shows."""
        yield inputs_from("aggregate_results", "")
        kind, dataset = wildcards.parts
        cells = [cell for cell in config.expanded_grid.trained_cells if cell.dataset == dataset]
        if kind == "tasks":
            yield inputs_from("prepare_data", str(dataset), "manifest.json", "train_images.npy")
            for cell in _first_of_each_source(cells):
                yield inputs_from("make_partitions", cell.name, "summary.json", "partitions.npy")
        elif kind == "training_curves":
            for cell in cells:
                yield inputs_from("meta_train", cell.name, "metrics.jsonl")
            for name, embedding, seed in config.expanded_grid.embedding_runs:
                if name == dataset:
                    trained = f"{name}/{embedding}/s{seed}"
                    yield inputs_from("train_embedding", trained, "metrics.jsonl")

    def modules(self, config: "Config", wildcards: FigureWildcards) -> tuple[str, ...]:
        """Return the module that draws the figure."""
        return (f"cactus.paper.figures.{wildcards.parts[0]}",)


def _partition_numbers(config: "Config", dataset: DatasetName) -> dict[str, tuple[int, int, int]]:
    """Return three numbers of each source of a data set whose embedding k-means partitions.

    They are P, k, and a number of the other settings, which is 0 if they are those of embeddings
    without a variant.
    """
    cells = (cell for cell in config.expanded_grid.trained_cells if cell.dataset == dataset)
    sources = (Source.parse(name) for name in sorted({cell.source for cell in cells}))
    found, others = {}, dict[str, int]()
    for source in sources:
        if source.kind == "kmeans":
            settings = config.partitions.of_source(source, dataset)
            for one in (Source.parse(source.base), source):
                group = others.setdefault(_other_settings(config, one, dataset), len(others))
            found[source.name] = settings.count, settings.clusters, group
    return found


def _other_settings(config: "Config", source: Source, dataset: DatasetName) -> str:
    """Return what the cells of a source depend on besides embedding, learner, P and k."""
    read = keys_read(source, dataset)
    settings = config.partitions.of_source(source, dataset)
    return f"{source.way} {settings.model_dump_json(include=read - {'count', 'clusters'})}"


def _first_of_each_source(cells: "list[Cell]") -> "list[Cell]":
    """Return the cells whose partitions the contact sheet shows: first learner, first seed."""
    first: dict[str, Cell] = {}
    for cell in sorted(cells, key=lambda cell: (cell.learner, cell.seed)):
        first.setdefault(cell.source, cell)
    return list(first.values())


STAGE: Final = MakeFigure()
