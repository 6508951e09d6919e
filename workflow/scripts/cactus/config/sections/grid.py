"""The cells of the experiment grid, derived from the configuration."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Final, NamedTuple, Self

from pydantic import model_validator

from cactus.config.sections.base import (
    DatasetName,
    DatasetSettings,
    Seed,
    Settings,
    UnfitError,
    refuse_repeats,
    setting,
)
from cactus.config.sections.source import Source, SourcePlace
from cactus.errors import ConfigError, counted

SCRATCH_LEARNER: Final = "maml"  # its network is the one that is trained from scratch


class Cell(NamedTuple):
    """One meta-learner trained on one data set from one task source with one seed."""

    dataset: DatasetName
    source: str
    learner: str
    seed: int

    @property
    def name(self) -> str:
        """The cell's name in result paths."""
        return f"{self.dataset}/{self.source}/{self.learner}/s{self.seed}"


class CellPattern(Settings):
    """Cells that match every given key."""

    dataset: DatasetName | None = setting(None, "Data set of the cells.")
    source: str | None = setting(None, "Task source of the cells, e.g. `acai` or `labels`.")
    learner: str | None = setting(None, "Meta-learner of the cells.")
    seed: Seed | None = setting(None, "Seed of the cells.")

    def matches(self, cell: Cell) -> bool:
        """Return whether `cell` matches every given key."""
        wanted = self.model_dump(exclude_none=True)
        return all(getattr(cell, key) == value for key, value in wanted.items())


# Keys that name data sets themselves, so that values for single data sets would mean nothing.
_OF_ALL_DATASETS: Final = ("datasets", "controls", "include", "exclude")


class GridSettings(DatasetSettings):
    """Axes of the grid, and the cells to leave out."""

    datasets: list[DatasetName] = setting(
        ["mnist", "omniglot", "miniimagenet", "celeba"], "Data sets."
    )
    embeddings: list[str] = setting(
        ["acai", "bigan", "deepcluster", "infogan"],
        "Embeddings: the four of the paper, `contrastive`, or names under `embeddings.custom`.",
    )
    learners: list[str] = setting(
        ["maml", "protonets"],
        "Meta-learners: the two of the paper, or names under `learners.custom`.",
    )
    seeds: list[Seed] = setting([0], "Training seeds; every cell is run with each of them.")
    controls: dict[DatasetName, list[str]] = setting(
        {},
        "Additional task sources by data set: `labels` (the oracle), `random`, "
        "`pixels`, `hyperplanes-<embedding>`. With `+<variant>` after it, a source or embedding "
        "is partitioned with the values of `partitions.variants`. With `+<N>-way`, the model is "
        "trained on N-way tasks, and evaluated on N-way tasks only.",
    )
    ablation_learners: list[str] = setting(
        ["maml", "protonets"],
        "Those of `learners` that are trained on controls other than `labels`, which are ablations "
        "of the partitions.",
    )
    scratch: bool = setting(
        False, "Add training from scratch, with MAML's network, to every data set."
    )
    baselines: bool = setting(False, "Add the baselines on every embedding.")
    include: list[CellPattern] = setting(
        [], "If not empty, keep only cells that match one of these patterns."
    )
    exclude: list[CellPattern] = setting([], "Leave out cells that match one of these patterns.")

    @model_validator(mode="after")
    def _axes_are_valid(self) -> Self:
        for axis in ("datasets", "embeddings", "learners", "ablation_learners", "seeds"):
            refuse_repeats(axis, getattr(self, axis))
        for dataset, own in self.per_dataset.items():
            for key in filter(own.__contains__, _OF_ALL_DATASETS):
                fix = f"move it out of per_dataset: `{key}` names data sets itself"
                raise UnfitError(f"per_dataset.{dataset}.{key}", fix)
        for key in ("include", "exclude"):
            refuse_repeats(key, getattr(self, key), may_be_empty=True)
        for dataset, names in self.controls.items():
            refuse_repeats(f"controls.{dataset}", names, may_be_empty=True)
        return self

    @property
    def wanted_learners(self) -> Iterator[tuple[str, str]]:
        """Yield each meta-learner that a key names, after the key."""
        yield from (*self._named("learners"), *self._named("ablation_learners"))
        for key, patterns in (("include", self.include), ("exclude", self.exclude)):
            for index, pattern in enumerate(patterns):
                if pattern.learner is not None:
                    yield f"{key}.{index}.learner", pattern.learner

    def _named(self, axis: str) -> Iterator[tuple[str, str]]:
        """Yield each name on an axis, after its key."""
        lists = {axis: getattr(self, axis)}
        for dataset, own in self.per_dataset.items():
            lists[f"per_dataset.{dataset}.{axis}"] = own.get(axis, [])
        for key, names in lists.items():
            # What is no list of names is refused where the values of a data set are checked.
            for index, name in enumerate(names if isinstance(names, list) else []):
                if isinstance(name, str):
                    yield f"{key}.{index}", name

    @property
    def wanted_sources(self) -> Iterator[tuple[str, str, SourcePlace]]:
        """Yield each task source that a key names, after the key, and what the key is for."""
        for key, name in self._named("embeddings"):
            yield key, name, "embeddings"
        for dataset, names in self.controls.items():
            for index, name in enumerate(names):
                yield f"controls.{dataset}.{index}", name, "controls"
        for key, patterns in (("include", self.include), ("exclude", self.exclude)):
            for index, pattern in enumerate(patterns):
                if pattern.source is not None:
                    yield f"{key}.{index}.source", pattern.source, "patterns"


@dataclass(frozen=True)
class Grid:
    """The cells that a configuration asks for, and what they depend on."""

    cells: tuple[Cell, ...]
    with_baselines: frozenset[DatasetName]

    @classmethod
    def from_settings(cls, settings: GridSettings) -> Self:
        """Build the product of the axes, then apply `include` and `exclude`.

        Raises
        ------
        ConfigError
            No cell remains.
        """
        cells = tuple(cell for cell in _all_cells(settings) if _is_kept(cell, settings))
        if not cells:
            raise ConfigError(
                "The grid has no cells left.",
                where="grid.include and grid.exclude",
                got=f"{counted(len(settings.include), 'pattern')} to include, "
                f"{counted(len(settings.exclude), 'pattern')} to exclude",
                fix="relax the patterns so that they keep at least one cell",
            )
        baselines = (name for name in settings.datasets if settings.resolve(name).baselines)
        return cls(cells, frozenset(baselines))

    @cached_property
    def datasets(self) -> tuple[DatasetName, ...]:
        """Data sets of the cells, in grid order."""
        return tuple(dict.fromkeys(cell.dataset for cell in self.cells))

    @cached_property
    def trained_cells(self) -> tuple[Cell, ...]:
        """Cells that are meta-trained: all except those trained from scratch."""
        return tuple(cell for cell in self.cells if cell.source != "scratch")

    @cached_property
    def embedding_runs(self) -> tuple[tuple[DatasetName, str, int], ...]:
        """Data set, embedding and seed of every embedding that a cell needs."""
        runs = (
            (cell.dataset, embedding, cell.seed)
            for cell in self.cells
            if (embedding := Source.parse(cell.source).embedding) is not None
        )
        return tuple(dict.fromkeys(runs))

    @cached_property
    def baseline_runs(self) -> tuple[tuple[DatasetName, str, int], ...]:
        """Data set, embedding and seed of every baselines job."""
        return tuple(run for run in self.embedding_runs if run[0] in self.with_baselines)


def _all_cells(settings: GridSettings) -> Iterator[Cell]:
    for dataset in settings.datasets:
        own = settings.resolve(dataset)
        controls = own.controls.get(dataset, [])
        ablating = [name for name in own.learners if name in own.ablation_learners]
        for source in (*own.embeddings, *controls):
            ablation = source in controls and source != "labels"
            for learner, seed in product(ablating if ablation else own.learners, sorted(own.seeds)):
                yield Cell(dataset, source, learner, seed)
        if own.scratch:
            for seed in sorted(own.seeds):
                yield Cell(dataset, "scratch", SCRATCH_LEARNER, seed)


def idle_patterns(settings: GridSettings) -> Iterator[str]:
    """Yield the patterns of `include` and `exclude` that match no cell, each with its key."""
    cells = list(_all_cells(settings))
    for key in ("include", "exclude"):
        for index, pattern in enumerate(getattr(settings, key)):
            if not any(map(pattern.matches, cells)):
                given = pattern.model_dump(exclude_none=True)
                shown = ", ".join(f"{name}: {value}" for name, value in given.items())
                yield f"grid.{key}.{index} ({shown}) matches no cell of the grid"


def _is_kept(cell: Cell, settings: GridSettings) -> bool:
    included = not settings.include or any(p.matches(cell) for p in settings.include)
    return included and not any(p.matches(cell) for p in settings.exclude)
