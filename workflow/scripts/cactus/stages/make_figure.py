"""Draw a figure as PDF and PNG, and write the map from its numbers to the results."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from cactus.config.printed.titles import Titles
from cactus.config.sections.base import BUILT_IN, DatasetName
from cactus.config.sections.outputs import OutputSettings, figure_names
from cactus.config.sections.partition import keys_read
from cactus.config.sections.source import FIXED, Source
from cactus.stages.base import Inputs, Spec, Stage, inputs_from

if TYPE_CHECKING:
    from cactus.config.models import Config
    from cactus.config.sections.grid import Cell

# Keys of `outputs` that one kind of figure reads, besides those that all figures read.
_FIGURE_KEYS: Final = {"training_curves": {"curve_points"}, "tasks": {"contact_sheet"}}
_ALL_FIGURES: Final = {"font_size", "dpi", "column_width", "page_width"}


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
    titles: Titles
    augmented: list[str]  # meta-learners that train on changed images; for the figure of tasks


class MakeFigure(Stage[FigureWildcards]):
    """One job per figure."""

    wildcards = FigureWildcards
    target = "figures"
    results = ("figures/{cell}.pdf", "figures/{cell}.png", "figures/{cell}.map.json")
    final = True
    local = True

    def all_wildcards(self, config: "Config") -> Iterator[FigureWildcards]:
        """Return the names of all figures for which the run has data."""
        datasets = config.expanded_grid.datasets
        lacking = {name: _without_data(config, name) for name in (None, *datasets)}
        figures = map(FigureWildcards, figure_names(config.outputs, datasets))
        return (one for one in figures if one.parts[0] not in lacking[one.parts[1]])

    def spec(self, config: "Config", wildcards: FigureWildcards) -> MakeFigureSpec:
        """Return the keys that the figure reads."""
        kind, dataset = wildcards.parts
        read = {*_ALL_FIGURES, *_FIGURE_KEYS.get(kind, ())}
        settings = OutputSettings.model_validate(config.outputs.model_dump(include=read))
        numbers = _partition_numbers(config, dataset) if kind == "partitions" and dataset else {}
        return MakeFigureSpec(
            figure=kind,
            dataset=dataset,
            settings=settings,
            partitions=numbers,
            titles=config.titles(dataset),
            augmented=_augmented(config, dataset) if kind == "tasks" and dataset else [],
        )

    def inputs(self, config: "Config", wildcards: FigureWildcards) -> Iterator[Inputs]:
        """Yield the results, and what else the figure shows."""
        yield inputs_from("aggregate_results", "")
        kind, dataset = wildcards.parts
        if dataset is not None:
            yield from _INPUTS[kind](config, dataset) if kind in _INPUTS else ()

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
            for one in dict.fromkeys((Source.parse(source.base), source)):
                group = others.setdefault(_other_settings(config, one, dataset), len(others))
            found[source.name] = settings.count, settings.clusters, group
    return found


def _other_settings(config: "Config", source: Source, dataset: DatasetName) -> str:
    """Return what the cells of a source depend on besides embedding, learner, P and k."""
    read = keys_read(source, dataset)
    settings = config.partitions.of_source(source, dataset)
    return f"{source.way} {settings.model_dump_json(include=read - {'count', 'clusters'})}"


def _augmented(config: "Config", dataset: DatasetName) -> list[str]:
    """Return the meta-learners that change the images of their training episodes."""
    found = {}
    for cell in _trained(config, dataset):
        settings = config.learners.resolve(cell.learner, dataset, cell.source)
        found[cell.learner] = settings.augmentation.active
    return sorted(name for name, active in found.items() if active)


def _without_data(config: "Config", dataset: DatasetName | None) -> set[str]:
    """Return the kinds of figures of a data set, or of the run, that would have nothing to show."""
    grid = config.expanded_grid
    if dataset is None:
        settings = {name: config.evaluation.resolve(name).settings for name in grid.datasets}
        ways = [[one.way for one in settings[name]] for name in grid.datasets]
        several_shots = any(len(set(one)) < len(one) for one in ways)
        known = any(name in BUILT_IN for name in grid.datasets)
        shown = {"paper_comparison": known, "shots": several_shots}
        return {kind for kind, has_data in shown.items() if not has_data}
    trained = _trained(config, dataset)
    clustered = [cell for cell in trained if Source.parse(cell.source).kind == "kmeans"]
    plain = any(map(_embedding, trained))
    embedded = any(name == dataset for name, _, _ in grid.embedding_runs)
    classes = dataset != "celeba"  # whose images have attributes
    found = _partition_numbers(config, dataset)
    numbers = {found[cell.source][:2] for cell in clustered}
    pairs = {(cell.source, cell.learner) for cell in clustered}
    shown = {
        "differences": _has_pairs(config, dataset),
        "training_curves": embedded or bool(trained),
        "tasks": any(_has_partitions(cell) for cell in trained),
        "partitions": len(numbers) > 1 or (classes and len(pairs) > 1),
        "purity": classes and bool(trained),
        "embedding_maps": classes and plain,
        "neighbors": embedded,
        "confusion": classes and bool(_first_seed(config, dataset)),
        "diagnostics": embedded,
    }
    return {kind for kind, has_data in shown.items() if not has_data}


def _has_pairs(config: "Config", dataset: DatasetName) -> bool:
    """Return whether a CACTUs cell has a competitor on its data set."""
    grid = config.expanded_grid
    cells = [cell for cell in grid.cells if cell.dataset == dataset]
    own = [cell for cell in cells if cell.source not in FIXED]
    learners: dict[str, set[str]] = defaultdict(set)
    for cell in own:
        learners[cell.source].add(cell.learner)
    several = any(_embedding(cell) and len(learners[cell.source]) > 1 for cell in own)
    tested = dataset in grid.with_baselines and any(map(_embedding, own))
    scratch = bool(own) and any(cell.source == "scratch" for cell in cells)
    return several or tested or scratch or any(_has_base(cell, learners) for cell in own)


def _has_base(cell: "Cell", learners: dict[str, set[str]]) -> bool:
    """Return whether the learners have that of a cell on the source that its own departs from."""
    origin = Source.parse(cell.source).origin
    return cell.source != origin and cell.learner in learners.get(origin, ())


def _trained(config: "Config", dataset: DatasetName) -> "list[Cell]":
    return [cell for cell in config.expanded_grid.trained_cells if cell.dataset == dataset]


def _embedding(cell: "Cell") -> str | None:
    """Return the embedding that a cell's tasks come from, without a variant or a way."""
    source = Source.parse(cell.source)
    plain = source.kind == "kmeans" and source.name == source.base
    return source.embedding if plain else None


def _first_seed(config: "Config", dataset: DatasetName) -> "list[Cell]":
    """Return the CACTUs cells of the first seed, but models of one way, on embeddings."""
    sources = {cell: Source.parse(cell.source) for cell in _trained(config, dataset)}
    cells = [cell for cell, one in sources.items() if one.embedding and one.way is None]
    return [cell for cell in cells if cell.seed == min(one.seed for one in cells)]


def _has_partitions(cell: "Cell") -> bool:
    """Return whether a cell's partitions are stored: attribute pools are not."""
    return not (cell.dataset == "celeba" and cell.source == "labels")


def _first_of_each_source(cells: "list[Cell]") -> "list[Cell]":
    """Return the cells whose partitions are shown: first learner, first seed."""
    first: dict[str, Cell] = {}
    for cell in sorted(cells, key=lambda cell: (cell.learner, cell.seed)):
        first.setdefault(cell.source, cell)
    return list(first.values())


def _embedding_files(
    config: "Config", dataset: DatasetName, *names: str, all_seeds: bool = False
) -> Iterator[Inputs]:
    """Yield files of each embedding, of the first seed that is trained or of all."""
    seen = set()
    runs = sorted(config.expanded_grid.embedding_runs, key=lambda run: run[2])
    for name, embedding, seed in runs:
        if name == dataset and (all_seeds or embedding not in seen):
            seen.add(embedding)
            yield inputs_from("train_embedding", f"{name}/{embedding}/s{seed}", *names)


def _curves(config: "Config", dataset: DatasetName) -> Iterator[Inputs]:
    for cell in _trained(config, dataset):
        yield inputs_from("meta_train", cell.name, "metrics.jsonl")
    yield from _embedding_files(config, dataset, "metrics.jsonl", all_seeds=True)


def _tasks(config: "Config", dataset: DatasetName) -> Iterator[Inputs]:
    yield inputs_from("prepare_data", dataset, "manifest.json", "train_images.npy")
    for cell in _first_of_each_source(_trained(config, dataset)):
        yield inputs_from("make_partitions", cell.name, "summary.json", "partitions.npy")


def _maps(config: "Config", dataset: DatasetName) -> Iterator[Inputs]:
    yield inputs_from("prepare_data", dataset, "manifest.json", "train_labels.npy")
    for cell in _first_of_each_source(_trained(config, dataset)):
        if embedding := _embedding(cell):
            trained = f"{dataset}/{embedding}/s{cell.seed}"
            yield inputs_from("train_embedding", trained, "manifest.json", "train.npy")
            yield inputs_from("make_partitions", cell.name, "summary.json", "partitions.npy")


def _neighbors(config: "Config", dataset: DatasetName) -> Iterator[Inputs]:
    arrays = ("train_images.npy", "train_labels.npy")
    yield inputs_from("prepare_data", dataset, "manifest.json", *arrays)
    yield from _embedding_files(config, dataset, "manifest.json", "train.npy")


def _episodes(config: "Config", dataset: DatasetName) -> Iterator[Inputs]:
    for cell in config.expanded_grid.cells:
        if cell.dataset == dataset:
            yield inputs_from("evaluate_model", cell.name, "summary.json", "accuracies.csv")
    for name, embedding, seed in config.expanded_grid.baseline_runs:
        if name == dataset:
            yield inputs_from("run_baselines", f"{name}/{embedding}/s{seed}")


def _confusion(config: "Config", dataset: DatasetName) -> Iterator[Inputs]:
    split = config.evaluation.resolve(dataset).split
    arrays = (f"{split}_images.npy", f"{split}_labels.npy")
    yield inputs_from("prepare_data", dataset, "manifest.json", *arrays)
    for cell in _first_seed(config, dataset):
        yield inputs_from("evaluate_model", cell.name, "confusion.csv")


def _diagnostics(config: "Config", dataset: DatasetName) -> Iterator[Inputs]:
    return _embedding_files(config, dataset, "diagnostic.png")


# What figures read besides the tables of results.
_INPUTS: Final = {
    "training_curves": _curves,
    "tasks": _tasks,
    "embedding_maps": _maps,
    "neighbors": _neighbors,
    "confusion": _confusion,
    "episodes": _episodes,
    "diagnostics": _diagnostics,
}
STAGE: Final = MakeFigure()
