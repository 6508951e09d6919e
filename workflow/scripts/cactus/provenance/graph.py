"""The graph of a run: its jobs, and what each reads of the others' results."""

from collections.abc import Iterator
from typing import NamedTuple

from cactus.config.grid import Cell, Grid
from cactus.config.models import Config
from cactus.config.outputs import figure_names
from cactus.config.select import result_folders
from cactus.config.source import Source
from cactus.provenance.jobs import AUDIT, Job
from cactus.splits import SPLITS


class Reads(NamedTuple):
    """What a job reads of the results of another.

    Attributes
    ----------
    job
        The other job.
    files
        Names below the run's folder; the first is the receipt that the other job writes last.
        The others may be absent if the receipt says so.
    """

    job: Job
    files: tuple[str, ...]


def all_jobs(config: Config) -> Iterator[Job]:
    """Yield every job of a configuration, each after those that it reads from."""
    grid = Grid.from_settings(config.grid)
    for dataset in grid.datasets:
        if config.sample_data:
            yield Job("make_sample", dataset)
        yield Job("prepare_data", dataset)
    for dataset, embedding, seed in grid.embedding_runs:
        yield Job("train_embedding", f"{dataset}/{embedding}/s{seed}")
    for stage in ("make_partitions", "meta_train"):
        yield from (Job(stage, cell.name) for cell in grid.trained_cells)
    yield from (Job("evaluate_model", cell.name) for cell in grid.cells)
    for dataset, embedding, seed in grid.baseline_runs:
        yield Job("run_baselines", f"{dataset}/{embedding}/s{seed}")
    yield Job("aggregate_results", "")
    yield from (Job("make_table", dataset) for dataset in grid.datasets)
    yield Job("make_document", "")
    yield from (Job("make_figure", name) for name in figure_names(config.outputs, grid.datasets))
    yield AUDIT


def reads(config: Config, job: Job) -> list[Reads]:
    """Return what a job reads of the results of others, by the configuration."""
    match job.stage:
        case "make_sample":
            return []
        case "prepare_data":
            sample = Job("make_sample", job.cell)
            return [_results(sample, "sample.json")] if config.sample_data else []
        case "aggregate_results" | "make_table" | "make_document" | "make_figure" | "audit_run":
            return list(_paper_reads(config, job))
    return list(_cell_reads(config, job))


def _results(job: Job, *names: str) -> Reads:
    return Reads(job, tuple(f"{job.folder}/{name}" for name in names))


def _data(dataset: str, *arrays: str) -> Reads:
    names = (f"{array}.npy" for array in arrays)
    return _results(Job("prepare_data", dataset), "manifest.json", *names)


def _cell_reads(config: Config, job: Job) -> Iterator[Reads]:
    values = job.wildcards
    dataset = values["dataset"]
    split = config.evaluation.resolve(dataset).split  # type: ignore[arg-type]
    match job.stage:
        case "train_embedding":
            yield _data(dataset, *(f"{name}_images" for name in SPLITS))
        case "make_partitions":
            yield from _partition_reads(dataset, Source.parse(values["source"]), values["seed"])
        case "meta_train":
            labels = ["train_labels"] if values["source"] == "labels" else []
            yield _data(dataset, "train_images", "val_images", "val_labels", *labels)
            partitions = Job("make_partitions", job.cell)
            yield _results(partitions, "summary.json", "partitions.npy")
        case "evaluate_model":
            yield _data(dataset, f"{split}_images", f"{split}_labels")
            if values["source"] != "scratch":
                model = Job("meta_train", job.cell)
                yield _results(model, "model.json", "model.safetensors")
        case "run_baselines":
            yield _data(dataset, *sorted({"val_labels", f"{split}_labels"}))
            arrays = sorted({"train.npy", "val.npy", f"{split}.npy"})
            yield _results(Job("train_embedding", job.cell), "manifest.json", *arrays)


def _partition_reads(dataset: str, source: Source, seed: str) -> Iterator[Reads]:
    match source.input:
        case "embeddings":
            embedding = Job("train_embedding", f"{dataset}/{source.embedding}/s{seed}")
            yield _results(embedding, "manifest.json", "train.npy")
        case "images":
            yield _data(dataset, "train_images")
        case "labels":
            yield _data(dataset, "train_labels")


def _paper_reads(config: Config, job: Job) -> Iterator[Reads]:
    grid = Grid.from_settings(config.grid)
    results = Job("aggregate_results", "")
    match job.stage:
        case "aggregate_results":
            for folder in result_folders(config):
                kind, _, cell = folder.partition("/")
                scored = Job("run_baselines" if kind == "baselines" else "evaluate_model", cell)
                yield _results(scored, "summary.json", "accuracies.csv")
            yield from (_data(dataset) for dataset in grid.datasets)
        case "make_table":
            yield Reads(results, results.files)
        case "make_document":
            for dataset in grid.datasets:
                table = Job("make_table", dataset)
                yield Reads(table, table.files[:1])
        case "make_figure":
            yield Reads(results, results.files)
            yield from _shown(grid, *job.cell.partition("-")[::2])
        case "audit_run":
            stages = ("aggregate_results", "make_table", "make_document", "make_figure")
            for other in all_jobs(config):
                if other.stage in stages:
                    yield Reads(other, other.files)


def _shown(grid: Grid, figure: str, dataset: str) -> Iterator[Reads]:
    """Yield what a figure shows besides the results."""
    cells = [cell for cell in grid.trained_cells if cell.dataset == dataset]
    if figure == "tasks":
        yield _data(dataset, "train_images")
        for cell in _first_of_each_source(cells):
            partitions = Job("make_partitions", cell.name)
            yield _results(partitions, "summary.json", "partitions.npy")
    elif figure == "training_curves":
        for cell in cells:
            yield _results(Job("meta_train", cell.name), "metrics.jsonl")
        for name, embedding, seed in grid.embedding_runs:
            if name == dataset:
                trained = Job("train_embedding", f"{name}/{embedding}/s{seed}")
                yield _results(trained, "metrics.jsonl")


def _first_of_each_source(cells: list[Cell]) -> list[Cell]:
    """Return the cells whose partitions the contact sheet shows: first learner, first seed."""
    first: dict[str, Cell] = {}
    for cell in sorted(cells, key=lambda cell: (cell.learner, cell.seed)):
        first.setdefault(cell.source, cell)
    return list(first.values())
