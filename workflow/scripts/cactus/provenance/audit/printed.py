"""The printed numbers of a run, and the jobs that they depend on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, NotRequired

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from cactus.errors import DataError, RecordError
from cactus.files import read_json
from cactus.graph import Graph
from cactus.provenance.audit.reading.rows_of_csv import FilesOfJobs
from cactus.provenance.records.values import checked
from cactus.stages.aggregate_results import RESULTS
from cactus.stages.base import Job
from cactus.stages.evaluate_model import STAGE as EVALUATE_MODEL
from cactus.stages.measure_partitions import STAGE as MEASURE_PARTITIONS
from cactus.stages.run_baselines import STAGE as RUN_BASELINES

_Column = Literal[
    "mean", "ci95", "paper_mean", "paper_ci95", "difference", "difference_ci95", "verdict",
    "seed_std", "paired_difference", "paired_ci95", "partitions", "share",
]  # fmt: skip


class _Row(TypedDict):
    """The row of the table of results behind a number."""

    run: str
    dataset: str
    source: str
    method: str
    learner: str
    way: int
    shot: int
    seed: str


class _ConfusionRow(_Row):
    """The cell, the setting and the two classes behind a number, by their labels."""

    true: int
    predicted: int


class _QualityRow(TypedDict):
    """The row of the table of the partitions' quality behind a number."""

    run: str
    dataset: str
    source: str
    learner: str
    seed: str
    measure: str


class _Entry(TypedDict):
    """A cell of a table or a number in a figure, see `cactus.paper.cells`."""

    row: str
    column: str
    printed: str
    mark: str
    columns: Annotated[list[_Column], Field(min_length=1)]
    scale: float
    decimals: Annotated[int, Field(ge=0, le=20)]
    results_row: _ConfusionRow | _Row | _QualityRow
    against: NotRequired[_Row]  # of the other method in a paired test


class _Map(TypedDict):
    cells: list[_Entry]


_MAP: Final = TypeAdapter(_Map)
Maps = FilesOfJobs[list[dict[str, Any]]]


class PrintedNumber(NamedTuple):
    """A printed number.

    Attributes
    ----------
    job
        The job that made the table or figure.
    file
        The table or figure, relative to the run's folder.
    entry
        Its entry in the file's map, see `cactus.paper.cells.map_entry`.
    """

    job: Job
    file: str
    entry: dict[str, Any]

    @property
    def title(self) -> str:
        """Where to find the number: file, row and column."""
        return f"{self.file}: {self.entry['row']}: {self.entry['column']}"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of results whose episodes it comes from: two for a paired test."""
        rows = [self.entry["results_row"], self.entry.get("against")]
        return [row for row in rows if row is not None and not self.is_published]

    @property
    def is_published(self) -> bool:
        """Whether it is one of the paper's numbers instead of ours."""
        return bool(self.entry["columns"][0] == "paper_mean")


class ScoringJobs:
    """Finds the jobs that scored the episodes, or measured the partitions, behind a row.

    Parameters
    ----------
    jobs
        The jobs to choose from, each once.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._seeds: dict[tuple[str, str], list[tuple[str, Job]]] = defaultdict(list)
        for job in jobs:
            seed = job.wildcards.get("seed", "")
            self._seeds[job.stage, job.cell.rpartition("/")[0]].append((seed, job))

    def of(self, row: Mapping[str, Any]) -> list[Job]:
        """Return those of a row of results, or of the table of the partitions' quality."""
        names = ["dataset", "source", *(["learner"] if row["learner"] else [])]
        stage = EVALUATE_MODEL.name if row["learner"] else RUN_BASELINES.name
        stage = MEASURE_PARTITIONS.name if "measure" in row else stage
        found = self._seeds.get((stage, "/".join(str(row[name]) for name in names)), [])
        return [job for seed, job in found if row["seed"] in ("all", seed)]


def number_map(job: Job) -> str | None:
    """Return the file that maps the printed numbers of a job to their sources, if it has any."""
    return next((name for name in job.files if name.endswith(".map.json")), None)


def map_entries(path: Path) -> list[dict[str, Any]]:
    """Return the map entries of a table's or figure's numbers, see `cactus.paper.cells.map_entry`.

    Raises
    ------
    RecordError
        The file cannot be read or is not such a map.
    """
    try:
        entries: list[dict[str, Any]] = checked(_MAP, read_json(path))["cells"]
    except (DataError, ValueError) as error:
        raise RecordError(
            "The map of a table or figure cannot be read.",
            where=str(path),
            got=error.got if isinstance(error, DataError) else str(error),
            fix="run the workflow again to rebuild the file",
        ) from error
    return entries


def maps_of(run_folder: Path) -> Maps:
    """Return the map entries of each job that has a map, see `map_entries`."""
    return FilesOfJobs(lambda job: map_entries(run_folder / str(number_map(job))))


def printed_numbers(maps: Maps, jobs: Iterable[Job]) -> Iterator[PrintedNumber]:
    """Yield the printed numbers of a run, except those whose map cannot be read."""
    for job in jobs:
        if number_map(job) is None:
            continue
        try:
            entries = maps.of(job)
        except RecordError:
            continue  # reported by the check of the maps
        yield from (
            PrintedNumber(job, job.files[0], entry) for entry in entries if entry["printed"]
        )


def numbers_by_job(
    graph: Graph, printed: Iterable[PrintedNumber]
) -> dict[Job, list[PrintedNumber]]:
    """Return the printed numbers that depend on each job, directly or through other jobs."""
    found: dict[Job, list[PrintedNumber]] = defaultdict(list)
    scoring, ancestry = ScoringJobs(graph.jobs), cache(graph.ancestry)
    for one in printed:
        scored = [job for row in one.rows for job in scoring.of(row)]
        for job in {one.job, RESULTS}.union(*map(ancestry, scored)):
            found[job].append(one)
    return found
