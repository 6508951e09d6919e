"""Check what the cells of a grid read: values that fit each other, and the data."""

from collections.abc import Callable, Iterator, Sequence
from math import floor
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

from pydantic import ValidationError

from cactus.config.explain import explained, shown
from cactus.config.layers import Layers, dotted, value_at
from cactus.config.sections.base import DatasetName, LearnerName, Settings
from cactus.config.sections.grid import Cell
from cactus.config.sections.learners import TrainingSettings
from cactus.config.sections.partition import MamlAcceptanceSettings, keys_read
from cactus.config.sections.source import Source
from cactus.config.split_sizes import SplitName, split_sizes
from cactus.config.yaml_file import KeyPath
from cactus.errors import ConfigError

if TYPE_CHECKING:
    from cactus.config.models import Config

_Found = TypeVar("_Found")
_Given = tuple[KeyPath, Any]  # a key and its value
_LEAST_WAY: Final = 2
_ATTRIBUTE_WAY: Final = 2  # a choice of attributes and its opposite


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
    for dataset, embedding in dict.fromkeys((run[0], run[1]) for run in grid.embedding_runs):
        checks[dataset].check_embedding(embedding)
    for dataset in dict.fromkeys(run[0] for run in grid.baseline_runs):
        checks[dataset].check_baselines()
    for cell in dict.fromkeys(cell._replace(seed=0) for cell in grid.cells):
        checks[cell.dataset].check_cell(cell)


class _DatasetChecks:
    """Checks what the cells of one data set read."""

    def __init__(self, config: "Config", layers: Layers, dataset: DatasetName) -> None:
        self.config, self.layers, self.dataset = config, layers, dataset
        section = getattr(config.data, dataset)
        self._resolved(("data", dataset), lambda: _again(section))
        self.sizes = split_sizes(config, dataset)
        cut = {"mnist": "val_size", "omniglot": "train_characters"}.get(dataset)
        for split, size in self.sizes.items():
            if cut and size.images < 1:
                fix = f"lower it: it leaves no images for the {split} split of {dataset}"
                raise self._refused(fix, (("data", dataset, cut), getattr(section, cut)))
        self._check_least(section)
        self._check_evaluation()

    def check_embedding(self, name: str) -> None:
        """Check the settings of an embedding."""
        custom = ("custom",) if name in self.config.embeddings.custom else ()
        path = ("embeddings", *custom, name)
        settings = self._resolved(path, lambda: self.config.embeddings.resolve(name, self.dataset))
        self._check_clusters((*path, "clusters"), getattr(settings, "clusters", 0))

    def check_baselines(self) -> None:
        """Check the settings of the baselines."""
        settings = self._resolved(
            ("baselines",), lambda: self.config.baselines.resolve(self.dataset)
        )
        evaluation = self.config.evaluation.resolve(self.dataset)
        support = min(one.way * one.shot for one in evaluation.settings)
        if "knn" in settings.methods and min(settings.knn.neighbors) > support:
            fix = f"add a number up to {support}, the smallest support under evaluation.settings"
            first = ("baselines", "knn", "neighbors", 0)
            raise self._refused(fix, (first, settings.knn.neighbors[0]))
        for index, one in enumerate(evaluation.settings):
            selecting = [name for name in settings.methods if len(settings.choices(name, one)) > 1]
            if selecting:
                self._check_selection(index, (one.way, one.shot, evaluation.query), selecting)
        if "cluster_matching" in settings.methods:
            key = ("baselines", "cluster_matching", "clusters")
            self._check_clusters(key, settings.cluster_matching.clusters)

    def _check_selection(
        self, index: int, shape: tuple[int, int, int], methods: Sequence[str]
    ) -> None:
        """Check the validation episodes by which baselines select among several values."""
        try:
            self._check_episodes(("evaluation", "settings", index), shape, "val")
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
        path = ("learners", cell.learner)
        training = self._resolved(
            path, lambda: learners.resolve(cell.learner, self.dataset, cell.source)
        )
        self._resolved(("speed", cell.learner), lambda: speed.resolve(cell.learner, self.dataset))
        if cell.source == "scratch":
            scratch = ("learners", "scratch")
            self._resolved(scratch, lambda: learners.scratch.resolve(self.dataset))
            return
        one = training.validation
        self._check_episodes((*path, "validation"), (one.way, one.shot, one.query), "val")
        if cell.source == "labels":
            self._check_episodes(path, (training.way, training.shot, training.query), "train")
        else:
            self._check_tasks(cell, path, training)

    def _check_tasks(self, cell: Cell, path: KeyPath, training: TrainingSettings) -> None:
        """Check that partitions of the training images can have the classes of a task."""
        source = Source.parse(cell.source)
        images = self.sizes["train"].images
        self._check_source(source)
        way: _Given = (*path, "way"), training.way
        if source.way is not None:
            way = ("grid", "controls", self.dataset), source.name
        if training.way < _LEAST_WAY:
            fix = (
                f"raise it to {_LEAST_WAY} or more: with a single class, there is nothing to learn"
            )
            raise self._refused(fix, way)
        needed = training.way * (training.shot + training.query)
        if needed > images:
            fix = f"lower it: a task has {needed} images, the training split {images}"
            others = (((*path, key), getattr(training, key)) for key in ("shot", "query"))
            raise self._refused(fix, way, *others)
        names = [name for name in (source.variant, source.embedding) if name]
        settings = self._resolved(
            ("partitions",), lambda: self.config.partitions.of_source(source, self.dataset), *names
        )
        if source.kind == "hyperplanes":
            return
        random = source.kind == "random"
        key: KeyPath = ("partitions", "random", "labels") if random else ("partitions", "clusters")
        classes = settings.random.labels if random else settings.clusters
        self._check_clusters(key, classes, *names)
        if training.way > classes:
            fix = f"a task of {training.way} classes needs more than {dotted(key)} = {classes}"
            raise self._refused(fix, way, (key, classes), names=names)
        if source.kind == "kmeans":
            rule = settings.acceptance(cell.learner)
            self._check_acceptance(rule, classes, training.shot + training.query, *names)

    def _check_source(self, source: Source) -> None:
        """Check that what follows the base of a source's name has an effect."""
        ways = {one.way for one in self.config.evaluation.resolve(self.dataset).settings}
        if source.way not in (None, *ways):
            fix = f"evaluation.settings has tasks of way {', '.join(map(str, sorted(ways)))}"
            raise self._idle(source, "A model would not be evaluated on any setting.", fix)
        if source.variant is not None:
            learners: tuple[LearnerName, ...] = get_args(LearnerName)
            read = set[str]().union(*(keys_read(source, one, self.dataset) for one in learners))
            values = self.config.partitions.variants[source.variant]
            if not read & {*values}:
                fix = f"it sets {', '.join(values) or 'nothing'}; {source.base} reads "
                fix += ", ".join(sorted(read))
                raise self._idle(source, "A variant changes nothing for a task source.", fix)

    def _idle(self, source: Source, what: str, fix: str) -> ConfigError:
        where = self.layers.place(("grid", "controls", self.dataset))
        return ConfigError(what, where=where, got=source.name, fix=fix)

    def _check_acceptance(
        self, rule: MamlAcceptanceSettings, clusters: int, per_class: int, *names: str
    ) -> None:
        """Check that the clusters that k-means has to make large enough can be."""
        large = min(clusters, floor(rule.fraction * clusters) + 1)
        needed, images = large * (per_class + rule.strict), self.sizes["train"].images
        if needed > images:
            fix = (
                f"lower it: {large} large enough clusters have {needed} images, and the training "
                f"split of {self.dataset} has {images}"
            )
            raise self._refused(fix, (("partitions", "clusters"), clusters), names=names)

    def _check_least(self, section: Settings) -> None:
        """Check that the splits can have the images that they have to have at least."""
        key = "min_images" if self.dataset == "celeba" else "min_images_per_class"
        least = getattr(section, key)
        for split, size in self.sizes.items():
            images = size.images if self.dataset == "celeba" else size.per_class
            if least > images:
                of = "" if self.dataset == "celeba" else " of its smallest class"
                fix = f"lower it: the {split} split of {self.dataset} has at most {images}{of}"
                raise self._refused(fix, (("data", self.dataset, key), least))

    def _check_evaluation(self) -> None:
        """Check the episodes on which the cells are scored."""
        settings = self._resolved(
            ("evaluation",), lambda: self.config.evaluation.resolve(self.dataset)
        )
        for index, one in enumerate(settings.settings):
            shape = one.way, one.shot, settings.query
            self._check_episodes(("evaluation", "settings", index), shape, settings.split)

    def _check_clusters(self, key: KeyPath, clusters: int, *names: str) -> None:
        images = self.sizes["train"].images
        if clusters > images:
            fix = f"lower it: the training split of {self.dataset} has {images} images"
            raise self._refused(fix, (key, clusters), names=names)

    def _check_episodes(self, path: KeyPath, shape: tuple[int, int, int], split: SplitName) -> None:
        """Check the way, shot and query of episodes with true labels."""
        way, shot, query = shape
        classes, _, images = self.sizes[split]
        attributes = self.config.pool_attributes(self.dataset)
        if attributes > classes:
            fix = f"lower it: the {split} split of {self.dataset} has {classes} attributes"
            raise self._refused(fix, (("partitions", "pool_attributes"), attributes))
        if attributes and way != _ATTRIBUTE_WAY:
            fix = f"set it to {_ATTRIBUTE_WAY}: a task has a choice of attributes and its opposite"
            raise self._refused(fix, ((*path, "way"), way))
        if not attributes and way > classes:
            fix = f"lower it: the {split} split of {self.dataset} has {classes} classes"
            raise self._refused(fix, ((*path, "way"), way))
        if shot + query > images:
            fix = (
                f"lower it: {shot} shots and {query} queries are {shot + query} images of a class, "
                f"and the {split} split of {self.dataset} has at most {images} of its smallest one"
            )
            section = path[:1] if path[0] == "evaluation" else path
            raise self._refused(fix, ((*path, "shot"), shot), ((*section, "query"), query))

    def _resolved(self, path: KeyPath, resolve: Callable[[], _Found], *names: str) -> _Found:
        """Return settings for this data set, which have to fit each other."""
        try:
            return resolve()
        except ValidationError as error:
            raise explained(error, self.layers, path, self.dataset, *names) from None

    def _refused(self, fix: str, *given: _Given, names: Sequence[str] = ()) -> ConfigError:
        """Return the error of values that do not fit; it names the one that was set last.

        If all of them are defaults, that is a key of the study that the size of the data follows.
        """
        key, value = max(given, key=lambda one: self.layers.rank(one[0], self.dataset, *names))
        if self.layers.is_default(key, self.dataset, *names):
            keys = list(self._size_keys())
            if keys:
                default = f"{dotted(key)}, which is {shown(value)} by default"
                fix = f"change it, or set {default} ({fix})"
                key = keys[0] if len(keys) == 1 else keys[0][:2]
                value = value_at(self.layers.values, key)
        return ConfigError(
            "The configuration asks for what the data does not have.",
            where=self.layers.place(key, self.dataset, *names),
            got=shown(value),
            fix=fix,
        )

    def _size_keys(self) -> Iterator[KeyPath]:
        """Yield the keys of the study that decide how many classes and images there are."""
        for section in ("data", "synthetic") if self.config.synthetic_data else ("data",):
            for key in getattr(self.config, section).model_dump()[self.dataset]:
                path = section, self.dataset, key
                if not self.layers.is_default(path):
                    yield path


def _again(settings: Settings) -> Settings:
    """Return settings after the checks of their values against each other."""
    return type(settings).model_validate(settings.model_dump())
