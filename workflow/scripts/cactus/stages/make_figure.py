"""Draw a figure as PDF and PNG, and write the map from its numbers to the results."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName
from cactus.config.sections.outputs import OutputSettings, figure_names
from cactus.stages.base import FigureKey, Reads, Spec, Stage, results_of

if TYPE_CHECKING:
    from cactus.config.models import Config
    from cactus.config.sections.grid import Cell

# Keys of `outputs` that one figure reads besides what all do.
_FIGURE_KEYS: Final = {"training_curves": {"curve_points"}, "tasks": {"contact_sheet"}}


class MakeFigureSpec(Spec):
    """One figure, of the whole run or of one data set."""

    figure: str
    dataset: DatasetName | None
    settings: OutputSettings


class MakeFigure(Stage[FigureKey]):
    """One job per figure."""

    key = FigureKey
    target = "figures"
    results = ("figures/{cell}.pdf", "figures/{cell}.png", "figures/{cell}.map.json")
    final = True
    light = True

    def keys(self, config: "Config") -> Iterator[FigureKey]:
        """Return the names of all figures."""
        return map(FigureKey, figure_names(config.outputs, config.expanded_grid.datasets))

    def spec(self, config: "Config", key: FigureKey) -> MakeFigureSpec:
        """Return the keys that the figure reads."""
        kind, dataset = key.parts
        read = {"font_size", "dpi", *_FIGURE_KEYS.get(kind, ())}
        settings = OutputSettings.model_validate(config.outputs.model_dump(include=read))
        return MakeFigureSpec(figure=kind, dataset=dataset, settings=settings)

    def reads(self, config: "Config", key: FigureKey) -> Iterator[Reads]:
        """Yield the results, and what the figure shows besides."""
        yield results_of("aggregate_results", "")
        kind, dataset = key.parts
        cells = [cell for cell in config.expanded_grid.trained_cells if cell.dataset == dataset]
        if kind == "tasks":
            yield results_of("prepare_data", str(dataset), "manifest.json", "train_images.npy")
            for cell in _first_of_each_source(cells):
                yield results_of("make_partitions", cell.name, "summary.json", "partitions.npy")
        elif kind == "training_curves":
            for cell in cells:
                yield results_of("meta_train", cell.name, "metrics.jsonl")
            for name, embedding, seed in config.expanded_grid.embedding_runs:
                if name == dataset:
                    trained = f"{name}/{embedding}/s{seed}"
                    yield results_of("train_embedding", trained, "metrics.jsonl")

    def modules(self, config: "Config", key: FigureKey) -> tuple[str, ...]:
        """Return the module that draws the figure."""
        return (f"cactus.paper.figures.{key.parts[0]}",)


def _first_of_each_source(cells: "list[Cell]") -> "list[Cell]":
    """Return the cells whose partitions the contact sheet shows: first learner, first seed."""
    first: dict[str, Cell] = {}
    for cell in sorted(cells, key=lambda cell: (cell.learner, cell.seed)):
        first.setdefault(cell.source, cell)
    return list(first.values())


STAGE: Final = MakeFigure()
