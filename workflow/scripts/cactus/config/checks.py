"""Check values against the sizes of a data set's splits, before the first job."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil, floor, log2
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import ValidationError

from cactus.config.explain import explained
from cactus.config.layers import MISSING, Layers, dotted, value_at
from cactus.config.sections.acceptance import AcceptanceSettings
from cactus.config.sections.base import VARIANTS, DatasetName, Settings
from cactus.config.sections.grid import Cell
from cactus.config.sections.learners.base import TrainingSettings
from cactus.config.sections.partition import (
    HyperplaneSettings,
    PartitionSettings,
    changes_partitions,
    keys_read,
)
from cactus.config.sections.source import Source
from cactus.config.split_sizes import SplitName, split_sizes
from cactus.config.words import shown
from cactus.config.yaml_file import KeyPath
from cactus.errors import ConfigError, counted

if TYPE_CHECKING:
    from cactus.config.models import Config

_Found = TypeVar("_Found")
Given = tuple[KeyPath, Any]  # a key and its value
_LEAST_WAY: Final = 2
_LEAST: Final[dict[str | int, int]] = {"way": _LEAST_WAY}  # others can be 1
_ATTRIBUTE_WAY: Final = 2  # a choice of attributes and its opposite


class Checks:
    """Checks that values fit each other and the sizes of a data set's splits."""

    def __init__(
        self, config: "Config", layers: Layers, dataset: DatasetName, images: int | None = None
    ) -> None:
        self.config, self.layers, self.dataset = config, layers, dataset
        section = config.data.of(dataset)
        self.resolved(config.data.path(dataset), lambda: _again(section))
        self.sizes = split_sizes(config, dataset)
        self.counted = images is not None  # in the data, which no key of the study decides
        if images is not None:
            self.sizes["train"] = self.sizes["train"]._replace(images=images)

    def check_clusters(self, key: KeyPath, clusters: int, *names: str) -> None:
        """Check that the training images can have so many clusters."""
        images = self.sizes["train"].images
        if clusters > images:
            what = f"the training split of {self.dataset} has {counted(images, 'image')}"
            raise self.too_much(what, (key, clusters), names=names)

    def check_episodes(self, path: KeyPath, shape: tuple[int, int, int], split: SplitName) -> None:
        """Check the way, shot and query of episodes with true labels."""
        way, shot, query = shape
        classes, _, images = self.sizes[split]
        attributes = self.resolved(
            ("partitions",), lambda: self.config.pool_attributes(self.dataset)
        )
        if attributes > classes:
            what = f"the {split} split of {self.dataset} has {counted(classes, 'attribute')}"
            raise self.too_much(what, (("partitions", "pool_attributes"), attributes))
        if attributes and way != _ATTRIBUTE_WAY:
            fix = f"set it to {_ATTRIBUTE_WAY}: a task has a choice of attributes and its opposite"
            raise self.refused(fix, ((*path, "way"), way))
        if not attributes and way > classes:
            what = f"the {split} split of {self.dataset} has {counted(classes, 'class', 'classes')}"
            what += self._promised("min_classes")
            raise self.too_much(what, ((*path, "way"), way))
        if shot + query > images:
            what = (
                f"{counted(shot, 'shot')} and {counted(query, 'query', 'queries')} are "
                f"{shot + query} images of a class, and the {split} split of {self.dataset} has at "
                f"most {images} of its smallest one{self._promised('min_images_per_class')}"
            )
            section = path[:1] if path[0] == "evaluation" else path
            raise self.too_much(what, ((*path, "shot"), shot), ((*section, "query"), query))

    def _promised(self, key: str) -> str:
        """Say which key has to be raised if a data set of one's own has more than it says."""
        own = self.config.data.custom.get(self.dataset)
        if own is None or (key == "min_classes" and own.knows_classes):
            return ""
        return f", by {dotted((*self.config.data.path(self.dataset), key))}; or raise that key"

    def resolved(self, path: KeyPath, resolve: Callable[[], _Found], *names: str) -> _Found:
        """Return settings for this data set, which have to fit each other."""
        try:
            return resolve()
        except ValidationError as error:
            raise explained(error, self.layers, path, self.dataset, *names) from None

    def too_much(self, what: str, *given: Given, names: Sequence[str] = ()) -> ConfigError:
        """Return the error of values that ask for more than there is.

        It names one that can be lower; if none can, the key that the size of the data follows.
        """
        can = [one for one in given if one[1] != _LEAST.get(one[0][-1], 1)]
        if can:
            return self.refused(f"lower it: {what}", *can, names=names)
        return self.too_little(what, given[0], *names)

    def too_little(self, what: str, given: Given, *names: str) -> ConfigError:
        """Return the error of data of which there is too little for any value."""
        return self._error(f"use more data: {what}", *(self._size() or given), names)

    def refused(self, fix: str, *given: Given, names: Sequence[str] = ()) -> ConfigError:
        """Return the error of values that do not fit; it names the one that was set last.

        If all of them are defaults, that is a key of the study that the size of the data follows.
        """
        key, value = max(given, key=lambda one: self.layers.rank(one[0], self.dataset, *names))
        if self.layers.is_default(key, self.dataset, *names) and (size := self._size()):
            default = f"{dotted(key)}, which is {shown(value)} by default"
            fix = f"change it, or set {default} ({fix})"
            key, value = size
        return self._error(fix, key, value, names)

    def _error(self, fix: str, key: KeyPath, value: Any, names: Sequence[str]) -> ConfigError:
        return ConfigError(
            "The configuration asks for what the data does not have.",
            where=self.layers.place(key, self.dataset, *names),
            got=shown(value),
            fix=fix,
        )

    def _size(self) -> Given | None:
        """Return the key of the study that the size of the data follows, of several the last.

        If the last ones were set together, it is their section; the synthetic one comes first.
        """
        keys = [] if self.counted else list(self._size_keys())
        if not keys:
            return None
        ranks = [self.layers.rank(key) for key in keys]
        last = [key for key, rank in zip(keys, ranks, strict=True) if rank == max(ranks)]
        key = last[0] if len(last) == 1 else last[-1][:-1]
        return key, value_at(self.layers.values, key)

    def _size_keys(self) -> Iterator[KeyPath]:
        """Yield the keys of the study that decide how many classes and images there are."""
        data, synthetic = self.config.data, self.config.synthetic
        sections = [(data.path(self.dataset), data.of(self.dataset))]
        if self.config.synthetic_data:
            sections.append((("synthetic", self.dataset), getattr(synthetic, self.dataset)))
        for path, section in sections:
            for key in type(section).model_fields:
                if not self.layers.is_default((*path, key)):
                    yield (*path, key)


class PartitionChecks(Checks):
    """Checks what the partitions of a data set's cells read."""

    def check_tasks(self, cell: Cell, path: KeyPath, training: TrainingSettings) -> None:
        """Check that partitions of the training images can have the classes of a task."""
        source = Source.parse(cell.source)
        images = self.sizes["train"].images
        self._check_source(source)
        way: Given = (*path, "way"), training.way
        if source.way is not None:
            way = ("grid", "controls", self.dataset), source.name
        if training.way < _LEAST_WAY:
            fix = (
                f"raise it to {_LEAST_WAY} or more: with a single class, there is nothing to learn"
            )
            raise self.refused(fix, way)
        needed = training.way * (training.shot + training.query)
        if needed > images:
            what = f"a task has {needed} images, the training split {images}"
            others = (((*path, key), getattr(training, key)) for key in ("shot", "query"))
            raise self.too_much(what, way, *others)
        names = [name for name in (source.variant, source.embedding) if name]
        settings = self.resolved(
            ("partitions",), lambda: self.config.partitions.of_source(source, self.dataset), *names
        )
        if source.kind == "hyperplanes":
            self._check_planes(settings.hyperplanes, training, way, *names)
            return
        random = source.kind == "random"
        own: KeyPath = ("random", "labels") if random else ("clusters",)
        key = self._set_by(source, own)
        classes = settings.random.labels if random else settings.clusters
        self.check_clusters(key, classes, *names)
        if training.way > classes:
            fix = f"a task of {training.way} classes does not fit into {dotted(key)} = {classes}"
            raise self.refused(fix, way, (key, classes), names=names)
        if source.kind == "kmeans":
            rule = self.config.acceptance(cell.learner, settings, self.dataset)
            self._check_acceptance(rule, classes, training.shot + training.query, *names)

    def _set_by(self, source: Source, key: KeyPath) -> KeyPath:
        """Return where a key of `partitions` is set for a source: by its variant, or for all."""
        variants = self.config.partitions.variants
        if source.variant and value_at(variants[source.variant], key) is not MISSING:
            return ("partitions", VARIANTS, source.variant, *key)
        return ("partitions", *key)

    def _check_planes(
        self, planes: HyperplaneSettings, training: TrainingSettings, way: Given, *names: str
    ) -> None:
        """Check that hyperplanes can make enough cells, and leave enough images on each side."""
        section = ("partitions", "hyperplanes")
        least = ceil(log2(training.way))
        if planes.planes < least:
            fix = f"a task of {training.way} classes needs {least} planes or more"
            raise self.refused(fix, way, ((*section, "planes"), planes.planes), names=names)
        per_class, images = training.shot + training.query, self.sizes["train"].images
        needed = 2 * planes.side_factor * per_class
        if needed > images:
            what = (
                f"a plane needs {planes.side_factor * per_class} images on each side, "
                f"and the training split of {self.dataset} has {images}"
            )
            key = (*section, "side_factor")
            raise self.too_much(what, (key, planes.side_factor), names=names)
        self._check_unit(planes, *names)

    def _check_unit(self, planes: HyperplaneSettings, *names: str) -> None:
        """Check that lengths of hyperplanes are not defaults, which are in another unit."""
        section, shipped = ("partitions", "hyperplanes"), PartitionSettings().variants
        units = [shipped.get(name, {}).get("hyperplanes", {}).get("unit") for name in names]
        if planes.unit == next(filter(None, units), HyperplaneSettings().unit):
            return
        unit, *lengths = ((*section, key) for key in ("unit", "margin", "point_range"))
        usual = [
            one
            for one in lengths
            if getattr(planes, one[-1]) and self.layers.is_default(one, self.dataset, *names)
        ]
        if usual and not self.layers.is_default(unit, self.dataset, *names):
            raise ConfigError(
                "Lengths of hyperplanes have defaults, but in another unit.",
                where=self.layers.place(unit, self.dataset, *names),
                got=shown(planes.unit),
                fix=f"set {' and '.join(map(dotted, usual))}, too, in this unit",
            )

    def _check_source(self, source: Source) -> None:
        """Check that what follows the base of a source's name has an effect."""
        ways = {one.way for one in self.config.evaluation.resolve(self.dataset).settings}
        if source.way not in (None, *ways):
            fix = f"evaluation.settings has tasks of way {', '.join(map(str, sorted(ways)))}"
            raise self._idle(source, "A model would not be evaluated on any setting.", fix)
        if source.variant is not None:
            values = self.config.partitions.variants[source.variant]
            if not changes_partitions(values, source, self.dataset):
                read = keys_read(source, self.dataset)
                given = ", ".join(sorted(_leaves(values))) or "nothing"
                fix = f"it sets {given}; {source.base} reads {', '.join(sorted(read))}"
                raise self._idle(source, "A variant changes nothing for a task source.", fix)

    def _idle(self, source: Source, what: str, fix: str) -> ConfigError:
        where = self.layers.place(("grid", "controls", self.dataset))
        return ConfigError(what, where=where, got=source.name, fix=fix)

    def _check_acceptance(
        self, rule: AcceptanceSettings, clusters: int, per_class: int, *names: str
    ) -> None:
        """Check that the clusters that k-means has to make large enough can be."""
        large = min(clusters, floor(rule.fraction * clusters) + 1)
        needed, images = large * (per_class + rule.strict), self.sizes["train"].images
        if needed > images:
            what = (
                f"{large} large enough clusters have {needed} images, and the training "
                f"split of {self.dataset} has {images}"
            )
            raise self.too_much(what, (("partitions", "clusters"), clusters), names=names)


def _leaves(values: dict[str, Any], path: KeyPath = ()) -> Iterator[str]:
    """Yield the dotted keys of nested mappings that hold a value."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield dotted((*path, key))


def _again(settings: Settings) -> Settings:
    """Return settings after the checks of their values against each other."""
    return type(settings).model_validate(settings.model_dump())
