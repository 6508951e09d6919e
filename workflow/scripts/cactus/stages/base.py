"""What a stage says of itself, and the jobs that it makes.

Nothing here or in a stage's file decides a result: what a stage says reaches the plan of each job
by value. So these files are not part of a job's code, except for what they import for the specs.
"""

import importlib
import json
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from cactus.config.sections.base import DatasetName, LearnerName, Settings

if TYPE_CHECKING:
    from cactus.config.models import Config


class Spec(Settings):
    """The part of the configuration that a job of one stage reads.

    A job sees nothing else of the configuration, so that a key that its stage does not read can
    neither change its results nor make them stale. Subclasses hold values and no logic.
    """

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a spec from its JSON."""
        return cls.model_validate_json(text)

    def text(self) -> str:
        """Return canonical JSON: sorted keys, no spaces."""
        return json.dumps(
            self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False
        )


class RunKey(NamedTuple):
    """The wildcards of a stage with one job per run: none."""


class DatasetKey(NamedTuple):
    """The wildcards of a stage with one job per data set."""

    dataset: DatasetName


class EmbeddingKey(NamedTuple):
    """The wildcards of a stage with one job per trained embedding."""

    dataset: DatasetName
    embedding: str
    seed: int


class CellKey(NamedTuple):
    """The wildcards of a stage with one job per cell of the grid."""

    dataset: DatasetName
    source: str
    learner: LearnerName
    seed: int


class FigureKey(NamedTuple):
    """The wildcards of a stage with one job per figure, ``<figure>`` or ``<figure>-<dataset>``."""

    figure: str

    @property
    def parts(self) -> tuple[str, DatasetName | None]:
        """The figure's kind, and its data set if it shows one only."""
        kind, _, dataset = self.figure.partition("-")
        return kind, dataset or None  # type: ignore[return-value]


class DataFile(NamedTuple):
    """A data file of the project, or the entry of a YAML file under one top-level key."""

    name: str
    key: str | None = None


Key = TypeVar("Key", bound=tuple[Any, ...])


class Stage(ABC, Generic[Key]):
    """A stage of the pipeline.

    Its module, its rule and its script have its name.

    Attributes
    ----------
    key
        The wildcards of its rule, in the order in which they make up the name of a job's cell.
    target
        The named target of the Snakefile that asks for its jobs.
    folder
        The folder below the run's in which each job owns a folder, all of whose files are its
        results; None if its jobs own single files.
    results
        The results that every job leaves; the first is the sentinel, by which Snakemake knows that
        the job is done. Names below the job's folder, or, without one, below the run's, with
        ``{cell}`` for the job's.
    main_result
        The result that matters most to a reader of a trace; by default the sentinel.
    final
        Whether a run is made for its results: `all` and the audit ask for them.
    scores
        Whether its jobs score episodes, into ``accuracies.csv``.
    light
        Whether a job takes seconds, so that it runs where Snakemake does.
    memory_mb
        Memory that a heavy job asks for, outside a profile.
    """

    key: ClassVar[type[tuple[Any, ...]]]
    target: ClassVar[str]
    folder: ClassVar[str | None] = None
    results: ClassVar[tuple[str, ...]]
    main_result: ClassVar[str | None] = None
    final: ClassVar[bool] = False
    scores: ClassVar[bool] = False
    light: ClassVar[bool] = False
    memory_mb: ClassVar[int] = 8000

    @property
    def name(self) -> str:
        """Name of the stage, its module, its rule and its script."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def wildcards(self) -> tuple[str, ...]:
        """Names of the rule's wildcards."""
        fields: tuple[str, ...] = self.key._fields  # type: ignore[attr-defined]
        return fields

    @property
    def pattern(self) -> str:
        """The name of a job's cell, with the rule's wildcards in braces."""
        names = (f"s{{{name}}}" if name == "seed" else f"{{{name}}}" for name in self.wildcards)
        return "/".join(names)

    @abstractmethod
    def keys(self, config: "Config") -> Iterable[Key]:
        """Return the wildcards of each job that a configuration asks for."""

    @abstractmethod
    def spec(self, config: "Config", key: Key) -> Spec:
        """Return the part of the configuration that a job reads."""

    def reads(self, config: "Config", key: Key) -> Iterable["Reads"]:
        """Return what a job reads of the results of others."""
        return ()

    def modules(self, config: "Config", key: Key) -> Sequence[str]:
        """Return the dotted names of the modules that a job imports by name."""
        return ()

    def data_files(self, key: Key) -> Sequence[DataFile]:
        """Return the data files of the project that a job reads."""
        return ()

    def uses_gpu(self, key: Key) -> bool:
        """Return whether a job computes on a GPU where the configuration allows it."""
        return False

    def files(self, cell: str) -> tuple[str, ...]:
        """Return the results that the job of a cell leaves, below the run's folder."""
        if self.folder is None:
            return tuple(name.replace("{cell}", cell) for name in self.results)
        return tuple(f"{self.folder}/{cell}/{name}" for name in self.results)

    def parse(self, cell: str) -> Key:
        """Return the wildcards of a job by its cell."""
        parts = cell.split("/") if cell else []
        pairs = zip(self.wildcards, parts, strict=True)
        values: list[Any] = [int(text[1:]) if name == "seed" else text for name, text in pairs]
        return self.key(*values)  # type: ignore[return-value]

    def job(self, **wildcards: object) -> "Job":
        """Return the job by the values of the rule's wildcards."""
        return Job(self.name, self.pattern.format(**wildcards))

    def jobs(self, config: "Config") -> Iterator["Job"]:
        """Yield every job that a configuration asks for."""
        for key in self.keys(config):
            yield self.job(**dict(zip(self.wildcards, key, strict=True)))


class Job(NamedTuple):
    """One job of a run.

    Attributes
    ----------
    stage
        Name of its stage.
    cell
        What it works on, e.g. ``omniglot/acai/maml/s0``; empty if the run has one such job.
    """

    stage: str
    cell: str

    @property
    def name(self) -> str:
        """Stage and cell in one, e.g. ``meta_train/omniglot/acai/maml/s0``."""
        return f"{self.stage}/{self.cell}" if self.cell else self.stage

    @property
    def definition(self) -> Stage[Any]:
        """Its stage."""
        return stage_named(self.stage)

    @property
    def wildcards(self) -> dict[str, str]:
        """The values of the rule's wildcards."""
        key = self.definition.parse(self.cell)
        return dict(zip(self.definition.wildcards, map(str, key), strict=True))

    @property
    def folder(self) -> str | None:
        """The folder below the run's that holds all its results, if it owns one."""
        parent = self.definition.folder
        return f"{parent}/{self.cell}" if parent else None

    @property
    def files(self) -> tuple[str, ...]:
        """The results that it leaves in any case, below the run's folder; first the sentinel."""
        return self.definition.files(self.cell)

    @property
    def number_map(self) -> str | None:
        """The map from the numbers that it prints to their sources, if it prints any."""
        return next((name for name in self.files if name.endswith(".map.json")), None)


class Reads(NamedTuple):
    """What a job reads of the results of another.

    Attributes
    ----------
    job
        The other job.
    files
        Names below the run's folder. A file may be absent if the other job did not make it.
    """

    job: Job
    files: tuple[str, ...]


def results_of(stage: str, cell: str, *names: str) -> Reads:
    """Return what a job reads of another: files of its folder, or all that it promises."""
    job = Job(stage, cell)
    return Reads(job, tuple(f"{job.folder}/{name}" for name in names) or job.files)


def pool_attributes(config: "Config", dataset: DatasetName) -> int:
    """Return the number of attributes of a CelebA task; other data sets do not read the key."""
    return config.partitions.resolve(dataset).pool_attributes if dataset == "celeba" else 0


@cache
def stage_named(name: str) -> Stage[Any]:
    """Return a stage by its name.

    Raises
    ------
    KeyError
        There is no such stage.
    """
    if name not in stage_names():
        raise KeyError(name)
    stage: Stage[Any] = importlib.import_module(f"{__package__}.{name}").STAGE
    return stage


@cache
def stage_names() -> tuple[str, ...]:
    """Return the names of all stages: those of the modules beside this one."""
    folder = importlib.import_module(__package__).__path__
    own = __name__.rpartition(".")[2]
    return tuple(sorted(one.name for one in pkgutil.iter_modules(folder) if one.name != own))
