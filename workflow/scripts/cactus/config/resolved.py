"""Check what the cells of a grid read: values that fit each other, and the data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from cactus.config.checks import Given, PartitionChecks
from cactus.config.layers import Layers, dotted
from cactus.config.sections.base import VARIANTS, DatasetName, Settings
from cactus.config.sections.embeddings.section import CustomEmbedding
from cactus.config.sections.grid import Cell
from cactus.config.sections.learners.base import TrainingSettings
from cactus.config.sections.source import Source
from cactus.config.sections.title import alike
from cactus.config.words import shown
from cactus.config.yaml_file import KeyPath
from cactus.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from cactus.config.models import Config

# Keys of the grid by which a source that it names may have no cell.
_DECIDING: Final = (
    *("controls", "datasets", "learners", "ablation_learners", "include", "exclude"),
    "per_dataset",
)
_POOLED_SIDE: Final = 16
# Keys that say where a split ends.
_CUTS: Final = {"mnist": ("val_size",), "omniglot": ("train_characters", "val_characters")}


def check_cells(config: "Config", layers: Layers) -> None:
    """Check the values that the cells of a configuration's grid read; others may be anything.

    Raises
    ------
    ConfigError
        Values do not fit each other, or ask for more classes or images than there are.
    """
    try:
        grid = config.expanded_grid
    except ConfigError as error:
        error.where = layers.place(("grid", "include" if config.grid.include else "exclude"))
        raise
    checks = {dataset: _DatasetChecks(config, layers, dataset) for dataset in grid.datasets}
    _check_titles(config, layers)
    for one in checks.values():
        one.check_used()


def check_training_images(
    config: "Config", layers: Layers, dataset: DatasetName, images: int
) -> None:
    """Check the values again that a data set of one's own has to meet, with its real size.

    Raises
    ------
    ConfigError
        They ask for more than `images` images in the training split.
    """
    _DatasetChecks(config, layers, dataset, images).check_used()


def check_all_is_used(config: "Config", layers: Layers) -> None:
    """Check that the grid has what is set for it; a later file may leave out what an earlier set.

    Raises
    ------
    ConfigError
        Task sources are of a data set that is not in the grid, or no source has a variant.
    """
    grid = config.grid
    for name, sources in grid.controls.items():
        key: KeyPath = ("grid", "controls", name)
        latest = layers.rank(key) >= layers.rank(("grid", "datasets"))
        if sources and name not in grid.datasets and latest:
            raise ConfigError(
                "The configuration has task sources of a data set that is not in the grid.",
                where=layers.place(key),
                got=shown(sources),
                fix=f"add {name} to grid.datasets, or remove the key",
            )
    named = {Source.parse(name).variant for names in grid.controls.values() for name in names}
    used = {Source.parse(cell.source).variant for cell in config.expanded_grid.cells}
    for name in config.partitions.variants:
        key = ("partitions", VARIANTS, name)
        deciding = _DECIDING if name in named else ("controls",)
        latest = layers.rank(key) >= max(layers.rank(("grid", one)) for one in deciding)
        if name not in used and latest and not layers.is_default(key):
            raise ConfigError(
                "The configuration has a variant that no task source uses.",
                where=layers.place(key),
                got=name,
                fix=_use_of(config, name, is_named=name in named),
            )


def _use_of(config: "Config", variant: str, *, is_named: bool) -> str:
    """Return advice about a variant that no cell uses."""
    example = config.source_names().with_variant(variant)
    if is_named:
        left_out = "grid.include, grid.exclude or grid.ablation_learners"
        return f"its sources have no cell left: change {left_out}, or remove the variant"
    if example:
        return f"add a source to grid.controls, e.g. `{example}`, or remove the variant"
    return "remove it: it changes the partitions of no task source"


def _check_titles(config: "Config", layers: Layers) -> None:
    """Check that no embedding has the title of a variant of another one, or of its hyperplanes."""
    grid, titles = config.expanded_grid, config.titles()
    sources = {*(run[1] for run in grid.embedding_runs), *(cell.source for cell in grid.cells)}
    parsed = sorted(map(Source.parse, sources), key=lambda one: one.embedding in titles.embeddings)
    found: dict[str, str] = {}
    for source in parsed:
        shown = titles.source(source.name)
        other = found.setdefault(alike(shown), source.name)
        if other != source.name:
            raise ConfigError(
                "Two task sources have the same title.",
                where=layers.place(("embeddings", "custom", str(source.embedding), "title")),
                got=f"{shown!r} of {other} and of {source.name}",
                fix="give the embedding another title",
            )


class _DatasetChecks(PartitionChecks):
    """Checks what the cells of one data set read."""

    def __init__(
        self, config: "Config", layers: Layers, dataset: DatasetName, images: int | None = None
    ) -> None:
        super().__init__(config, layers, dataset, images)
        section = config.data.of(dataset)
        cuts = _CUTS.get(dataset, ())
        for split, size in self.sizes.items():
            if cuts and size.images < 1:
                what = f"it leaves no images for the {split} split of {dataset}"
                given = ((("data", dataset, cut), getattr(section, cut)) for cut in cuts)
                raise self.too_much(what, *given)
        self._check_least(section)
        self._check_evaluation()

    def check_used(self) -> None:
        """Check what the cells, the embeddings and the baselines of the data set read."""
        grid = self.config.expanded_grid
        used = [run[1] for run in grid.embedding_runs if run[0] == self.dataset]
        # A misspelled key tells as much before the grid has the embedding.
        for embedding in dict.fromkeys([*used, *self.config.embeddings.custom]):
            self.check_embedding(embedding)
        if any(run[0] == self.dataset for run in grid.baseline_runs):
            self.check_baselines()
        cells = (cell._replace(seed=0) for cell in grid.cells if cell.dataset == self.dataset)
        for cell in dict.fromkeys(cells):
            self.check_cell(cell)

    def check_embedding(self, name: str) -> None:
        """Check the settings of an embedding."""
        embeddings = self.config.embeddings
        path: KeyPath = ("embeddings", name)
        if name in embeddings.custom:
            path = ("embeddings", "custom", name)
            own = self.resolved(path, lambda: embeddings.custom[name].resolve(self.dataset))
            if own.like:
                path = (*path, "settings")
                self._check_keys_of_like(path, own)
        found = self.resolved(path, lambda: embeddings.shipped(name, self.dataset))
        if found is not None:
            self.check_clusters((*path, "clusters"), getattr(found[1], "clusters", 0))

    def _check_keys_of_like(self, path: KeyPath, own: CustomEmbedding) -> None:
        """Check that an embedding like a shipped one sets keys that this one has."""
        known = self.config.embeddings.keys(own.like)
        for key in own.settings:
            if key not in known:
                raise ConfigError(
                    f"The embedding {own.like} has no such key.",
                    where=self.layers.place((*path, key), self.dataset),
                    got=repr(key),
                    fix=did_you_mean(key, known, f"its keys are {', '.join(known)}"),
                )

    def check_baselines(self) -> None:
        """Check the settings of the baselines."""
        settings = self.resolved(
            ("baselines",), lambda: self.config.baselines.resolve(self.dataset)
        )
        evaluation = self.config.evaluation.resolve(self.dataset)
        support = min(one.way * one.shot for one in evaluation.settings)
        if "knn" in settings.methods and min(settings.knn.neighbors) > support:
            fix = f"add a number up to {support}, the smallest support under evaluation.settings"
            first = ("baselines", "knn", "neighbors", 0)
            raise self.refused(fix, (first, settings.knn.neighbors[0]))
        for index, one in enumerate(evaluation.settings):
            selecting = [name for name in settings.methods if len(settings.choices(name, one)) > 1]
            if selecting:
                self._check_selection(index, (one.way, one.shot, evaluation.query), selecting)
        if "cluster_matching" in settings.methods:
            key = ("baselines", "cluster_matching", "clusters")
            self.check_clusters(key, settings.cluster_matching.clusters)

    def _check_selection(
        self, index: int, shape: tuple[int, int, int], methods: Sequence[str]
    ) -> None:
        """Check the validation episodes by which baselines select among several values."""
        try:
            self.check_episodes(("evaluation", "settings", index), shape, "val")
        except ConfigError as error:
            keys = ", ".join(f"baselines.{name}" for name in methods)
            error.fix += (
                f"; or give {keys} single values: several are selected from on episodes of the "
                "validation split, of the same way and shot"
            )
            raise

    def check_cell(self, cell: Cell) -> None:
        """Check the settings of a cell's learner and of its partitions."""
        learners, speed = self.config.learners, self.config.speed
        custom = ("custom",) if cell.learner in learners.custom else ()
        path: KeyPath = ("learners", *custom, cell.learner)
        training = self.resolved(
            path, lambda: learners.resolve(cell.learner, self.dataset, cell.source)
        )
        self.resolved(("speed", cell.learner), lambda: speed.resolve(cell.learner, self.dataset))
        if cell.source == "scratch":
            scratch = ("learners", "scratch")
            self.resolved(scratch, lambda: learners.scratch.resolve(self.dataset))
        else:
            self._check_training(cell, path, training)
        self._check_head(cell, path, training)
        self._check_side(path, training)

    def _check_side(self, path: KeyPath, training: TrainingSettings) -> None:
        """Check that four halvings leave something of the images; strides keep the last pixel."""
        side = self.config.data.image_shape(self.dataset)[0]
        pooling = getattr(training, "downsampling", "max_pool") == "max_pool"
        if pooling and side < _POOLED_SIDE:
            fix = f"set it to {_POOLED_SIDE} or more: {path[1]} halves images four times by pooling"
            if hasattr(training, "downsampling"):
                fix += f"; or set {dotted(path)}.downsampling to stride"
            raise self.refused(fix, ((*self.config.data.path(self.dataset), "image_size"), side))

    def _check_training(self, cell: Cell, path: KeyPath, training: TrainingSettings) -> None:
        """Check the episodes of training and of its validation."""
        one = training.validation
        self.check_episodes((*path, "validation"), (one.way, one.shot, one.query), "val")
        if cell.source == "labels":
            self.check_episodes(path, (training.way, training.shot, training.query), "train")
        else:
            self.check_tasks(cell, path, training)

    def _check_head(self, cell: Cell, path: KeyPath, training: TrainingSettings) -> None:
        """Check that no episode has more classes than the model can tell apart."""
        most = training.most_classes
        if most is None:
            return
        own = Source.parse(cell.source).way
        asked: list[Given] = [
            (("evaluation", "settings", index, "way"), one.way)
            for index, one in enumerate(self.config.evaluation.resolve(self.dataset).settings)
            if own in (None, one.way)
        ]
        if cell.source != "scratch":
            asked.append(((*path, "validation", "way"), training.validation.way))
        for key, way in asked:
            if way > most:
                fix = (
                    f"the head of {cell.learner} has a column for each of the {most} classes in "
                    f"training, so {dotted(key)} is at most {dotted(path)}.way"
                )
                raise self.refused(fix, (key, way), ((*path, "way"), training.way))

    def _check_least(self, section: Settings) -> None:
        """Check that the splits can have the images that they have to have at least."""
        key = "min_images" if self.dataset == "celeba" else "min_images_per_class"
        least = getattr(section, key)
        for split, size in self.sizes.items():
            images = size.images if self.dataset == "celeba" else size.per_class
            if least > images:
                of = "" if self.dataset == "celeba" else " of its smallest class"
                what = f"the {split} split of {self.dataset} has at most {images}{of}"
                given = ("data", self.dataset, key), least
                raise self.too_much(what, given) if images else self.too_little(what, given)

    def _check_evaluation(self) -> None:
        """Check the episodes on which the cells are scored."""
        settings = self.resolved(
            ("evaluation",), lambda: self.config.evaluation.resolve(self.dataset)
        )
        for index, one in enumerate(settings.settings):
            shape = one.way, one.shot, settings.query
            self.check_episodes(("evaluation", "settings", index), shape, settings.split)
