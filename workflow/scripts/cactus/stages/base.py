"""Base classes of the stages, and the jobs that stages create.

What a stage defines enters its jobs' plans by value. So these files do not count as a job's code,
but the modules that they import do.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from cactus.config.spec import CellWildcards as CellWildcards
from cactus.config.spec import DatasetWildcards as DatasetWildcards
from cactus.config.spec import EmbeddingWildcards as EmbeddingWildcards
from cactus.config.spec import RunWildcards as RunWildcards
from cactus.config.spec import Spec as Spec  # stages take these from here
from cactus.errors import CodeError, did_you_mean

if TYPE_CHECKING:
    from cactus.config.models import Config


class DataFile(NamedTuple):
    """A data file of the project, or one top-level entry of a YAML file."""

    name: str  # path below the project's folder
    key: str | None = None  # of the entry, if it is not the whole file

    def __str__(self) -> str:
        return self.name if self.key is None else f"{self.name}: {self.key}"


Wildcards = TypeVar("Wildcards", bound=tuple[Any, ...])


class Stage(ABC, Generic[Wildcards]):
    """A stage of the pipeline. Its module, its rule and its script share its name.

    Attributes
    ----------
    wildcards
        Type of its rule's wildcards, in the order in which they make up a cell's name.
    target
        The Snakefile's target that requests its jobs.
    folder
        Folder in which each job owns a folder of results; None if its jobs own single files.
    results
        Files that every job makes, relative to its folder; without one, to the run's, with
        ``{cell}`` in their names. The first, the sentinel, tells Snakemake that the job is done.
    optional
        Further files that some of its jobs make in their folders.
    main_result
        What a trace shows, if it is not the sentinel.
    final
        Whether `all` and the audit request its results.
    on_request
        Whether only its own target requests its jobs; once they have run, `all` does, too.
    reads_run
        Whether its job reads records and logs, too: bookkeeping that only this run can do.
    scores
        Whether its jobs write the ``accuracies.csv`` of episodes.
    local
        Whether its jobs take seconds and run beside Snakemake.
    gpu
        Whether its jobs use a GPU if they may.
    work
        Keys of its spec, as dotted names, to whose sum the time of a job is proportional.
    same_time
        Keys of its spec that do not matter for the time.
    memory_mb
        Memory in MB that a job requests without a profile.
    """

    wildcards: ClassVar[type[tuple[Any, ...]]]
    target: ClassVar[str]
    folder: ClassVar[str | None] = None
    results: ClassVar[tuple[str, ...]]
    optional: ClassVar[tuple[str, ...]] = ()
    main_result: ClassVar[str | None] = None
    final: ClassVar[bool] = False
    on_request: ClassVar[bool] = False
    reads_run: ClassVar[bool] = False
    scores: ClassVar[bool] = False
    local: ClassVar[bool] = False
    gpu: ClassVar[bool] = False
    work: ClassVar[tuple[str, ...]] = ()
    same_time: ClassVar[tuple[str, ...]] = ()
    memory_mb: ClassVar[int] = 8000

    @property
    def name(self) -> str:
        """Name of the stage, of its module, of its rule and of its script."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def wildcard_names(self) -> tuple[str, ...]:
        """Names of the rule's wildcards."""
        return tuple(self.wildcards._fields)  # type: ignore[attr-defined]

    @property
    def pattern(self) -> str:
        """The name of a cell, with the rule's wildcards in braces."""
        parts = (("s" if one == "seed" else "") + f"{{{one}}}" for one in self.wildcard_names)
        return "/".join(parts)

    @abstractmethod
    def all_wildcards(self, config: "Config") -> Iterable[Wildcards]:
        """Return the wildcards of every job of a configuration."""

    @abstractmethod
    def spec(self, config: "Config", wildcards: Wildcards) -> Spec:
        """Return the part of the configuration that a job reads."""

    def inputs(self, config: "Config", wildcards: Wildcards) -> Iterable["Inputs"]:
        """Return the results of other jobs that a job reads."""
        return ()

    def modules(self, config: "Config", wildcards: Wildcards) -> Sequence[str]:
        """Return the modules that a job imports dynamically, as dotted names."""
        return ()

    def data_files(self, config: "Config", wildcards: Wildcards) -> Sequence[DataFile]:
        """Return the data files of the project that a job reads."""
        return ()

    def declared_files(self, config: "Config", wildcards: Wildcards) -> Sequence[str]:
        """Return the data files, folders and patterns that the configuration declares for a job."""
        return ()

    def uses_gpu(self, wildcards: Wildcards) -> bool:
        """Return whether a job uses a GPU if the configuration allows it."""
        return self.gpu

    def files(self, cell: str) -> tuple[str, ...]:
        """Return the files that the job of a cell always makes, relative to the run's folder."""
        start = f"{self.folder}/{cell}/" if self.folder else ""
        return tuple(start + name.replace("{cell}", cell) for name in self.results)

    def parse(self, cell: str) -> Wildcards:
        """Return the wildcards of the job of a cell."""
        pairs = zip(self.wildcard_names, cell.split("/") if cell else [], strict=True)
        values: list[Any] = [int(text[1:]) if name == "seed" else text for name, text in pairs]
        return self.wildcards(*values)  # type: ignore[return-value]

    def job(self, **wildcards: object) -> "Job":
        """Return the job with the given wildcards."""
        return Job(self.name, self.pattern.format(**wildcards))

    def jobs(self, config: "Config") -> Iterator["Job"]:
        """Yield every job of a configuration."""
        for wildcards in self.all_wildcards(config):
            yield self.job(**dict(zip(self.wildcard_names, wildcards, strict=True)))


class RunStage(Stage[RunWildcards]):
    """A stage with one job per run."""

    wildcards = RunWildcards

    def all_wildcards(self, config: "Config") -> Iterable[RunWildcards]:
        """Return the one job's wildcards."""
        return (RunWildcards(),)


class DatasetStage(Stage[DatasetWildcards]):
    """A stage with one job per data set."""

    wildcards = DatasetWildcards

    def all_wildcards(self, config: "Config") -> Iterable[DatasetWildcards]:
        """Return the data sets."""
        return map(DatasetWildcards, config.expanded_grid.datasets)


class EmbeddingStage(Stage[EmbeddingWildcards]):
    """A stage with one job per trained embedding."""

    wildcards = EmbeddingWildcards

    def all_wildcards(self, config: "Config") -> Iterable[EmbeddingWildcards]:
        """Return data set, embedding and seed of each embedding that some cell needs."""
        return (EmbeddingWildcards(*run) for run in config.expanded_grid.embedding_runs)


class CellStage(Stage[CellWildcards]):
    """A stage with one job per meta-trained cell of the grid."""

    wildcards = CellWildcards

    def all_wildcards(self, config: "Config") -> Iterable[CellWildcards]:
        """Return the cells that are meta-trained."""
        return (CellWildcards(*cell) for cell in config.expanded_grid.trained_cells)


class Job(NamedTuple):
    """One job of a run: the name of its stage, and what it works on.

    The cell is for example ``omniglot/acai/maml/s0``; it is empty if the stage has one job per run.
    """

    stage: str
    cell: str

    @property
    def name(self) -> str:
        """Stage and cell, e.g. ``meta_train/omniglot/acai/maml/s0``."""
        return f"{self.stage}/{self.cell}" if self.cell else self.stage

    @property
    def definition(self) -> Stage[Any]:
        """Its stage."""
        return stage_named(self.stage)

    @property
    def wildcards(self) -> dict[str, str]:
        """The values of the rule's wildcards."""
        values = map(str, self.definition.parse(self.cell))
        return dict(zip(self.definition.wildcard_names, values, strict=True))

    @property
    def folder(self) -> str | None:
        """The folder that holds all its results, relative to the run's folder, if it owns one."""
        parent = self.definition.folder
        return f"{parent}/{self.cell}" if parent else None

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it always makes, relative to the run's folder; the sentinel is first."""
        return self.definition.files(self.cell)


class Inputs(NamedTuple):
    """The results of one upstream job that a job reads, relative to the run's folder.

    A file that is optional for the upstream stage is absent if the job did not make it.
    """

    job: Job
    files: tuple[str, ...]


def inputs_from(stage: str, cell: str, *names: str) -> Inputs:
    """Return files of an upstream job's folder: those named, or all that it always makes.

    Raises
    ------
    CodeError
        There is no such stage, its jobs own no folder, or it does not make such a file.
    """
    job = Job(stage, cell)
    if names and job.folder is None:
        what = "The jobs of a stage own no folder, so that none of its files can be named alone."
        fix = "use `Inputs` with some of `Job(...).files`"
        raise CodeError(what, where=stage_file(stage), got=", ".join(names), fix=fix)
    made = (*job.definition.results, *job.definition.optional)
    for name in sorted({*names} - {*made}):
        fix = did_you_mean(name, made, f"it makes {', '.join(made)}; others go to `optional`")
        raise CodeError("A stage makes no such file.", where=stage_file(stage), got=name, fix=fix)
    return Inputs(job, tuple(f"{job.folder}/{name}" for name in names) or job.files)


@cache
def stage_named(name: str) -> Stage[Any]:
    """Return the stage of a name.

    Raises
    ------
    CodeError
        There is no such stage, or its file does not define one.
    """
    if name not in stage_names():
        fix = did_you_mean(name, stage_names(), f"add cactus/stages/{name}.py")
        raise CodeError("There is no such stage.", where="cactus/stages/", got=name, fix=fix)
    module = stage_file(name).removesuffix(".py").replace("/", ".")
    stage = getattr(importlib.import_module(module), "STAGE", None)
    if not isinstance(stage, Stage):
        what, got = "A file in the folder of stages defines no stage.", f"STAGE = {stage!r}"
        fix = "end it with `STAGE: Final = <your class>()`, or move the file elsewhere"
        raise CodeError(what, where=stage_file(name), got=got, fix=fix)
    return stage


@cache
def stage_names() -> tuple[str, ...]:
    """Return the names of all stages, those of the files beside this one and a folder below."""
    return tuple(sorted(_stage_files()))


def stage_file(name: str) -> str:
    """Return the file of a stage, or where that of a new one belongs."""
    return f"cactus/stages/{_stage_files().get(name, f'{name}.py')}"


def _stage_files() -> dict[str, str]:
    folders = map(Path, importlib.import_module(__package__).__path__)
    found = [(path, path.relative_to(one)) for one in folders for path in one.glob("**/[a-z]*.py")]
    shown = (name for path, name in found if path.stem != "base" and path.parent.name[0] != ".")
    return {name.stem: name.as_posix() for name in shown}
