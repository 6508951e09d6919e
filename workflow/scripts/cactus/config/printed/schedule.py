"""Where the settings behind a table differ from the defaults, which follow the paper."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Final

from cactus.config.sections.acceptance import unread_starts
from cactus.config.sections.base import BUILT_IN, DatasetName, Settings
from cactus.config.sections.data.section import DataSettings
from cactus.config.sections.embeddings.section import EmbeddingSettings
from cactus.config.sections.evaluation import BaselineSettings, EvaluationSettings
from cactus.config.sections.learners.maml import ScratchSettings
from cactus.config.sections.learners.section import LearnerSettings
from cactus.config.sections.partition import RULES, PartitionSettings
from cactus.config.sections.source import Source

if TYPE_CHECKING:
    from cactus.config.models import Config

Value = int | float | str
Change = tuple[str, str, Value, Value]
# They change no result of the test tasks.
_IDLE: Final = {"log_every", "encode_batch_size", "validation", "per_dataset"}
_SAID: Final = {"augmentation", "oracle_iterations"}  # in other words or places
_CHECKS: Final = {"min_images_per_class", "min_images", "max_restarts"}  # errors alone
_PARTITIONS: Final = "apart-partitions"
_USUAL_EMBEDDINGS: Final = EmbeddingSettings()
_USUAL_LEARNERS: Final = LearnerSettings()
_WORDS: Final = {
    "kmeans": "k-means",
    "n_init": "k-means starts",
    "n_init_single": "k-means starts",
    "fraction": "fraction of large clusters",
    "strict": "strictly large clusters",
}


def schedule_changes(config: "Config", dataset: DatasetName) -> Iterator[Change]:
    """Yield what is not the default in what the numbers of a data set depend on.

    Yields
    ------
    name, what, value, default
        ``embedding-<name>``, ``learner-<name>``, ``oracle-<learner>``, or ``apart-<what>`` of a
        method that is not meta-trained, of images, partitions, baselines or the evaluation; the
        key or its words; the value here, and by default.
    """
    grid = config.expanded_grid
    if dataset in BUILT_IN:
        images = (getattr(one, dataset) for one in (config.data, DataSettings()))
        yield from _training_changes("apart-images", *images)
    for name in dict.fromkeys(name for one, name, _ in grid.embedding_runs if one == dataset):
        if shipped := config.embeddings.shipped(name, dataset):
            method, own = shipped
            default = _USUAL_EMBEDDINGS.resolve(method, dataset)
            yield from _training_changes(f"embedding-{name}", own, default)
    cells = [cell for cell in grid.trained_cells if cell.dataset == dataset]
    pairs = dict.fromkeys((cell.learner, cell.source) for cell in cells)
    partitions = (_of_partitions(config, dataset, *pair) for pair in pairs)
    learners = (_of_learner(config, dataset, *pair) for pair in pairs)
    for changes in (partitions, learners):
        yield from dict.fromkeys(change for some in changes for change in some)
    yield from _of_baselines(config, dataset)
    ours = _of_tasks(config.evaluation, config.partitions, dataset)
    usual = _of_tasks(EvaluationSettings(), PartitionSettings(), dataset)
    yield from _changes("apart-evaluation", ours, usual)


def _of_learner(
    config: "Config", dataset: DatasetName, learner: str, source: str
) -> Iterator[Change]:
    name = f"{'oracle' if source == 'labels' else 'learner'}-{learner}"
    ours = config.learners.resolve(learner, dataset, source)
    if ours.augmentation.active:
        yield name, "training images", "augmented", "unchanged"
    if learner not in config.learners.custom:
        usual = _USUAL_LEARNERS.resolve(learner, dataset, source)
        yield from _training_changes(name, ours, usual)


def _of_partitions(
    config: "Config", dataset: DatasetName, learner: str, name: str
) -> Iterator[Change]:
    """Yield what differs in what a source reads, but for what its variant sets, as its row says."""
    source = Source.parse(name)
    usual = PartitionSettings(variants=config.partitions.variants)
    ours = [one.of_source(source, dataset) for one in (config.partitions, usual)]
    yield from _changes(_PARTITIONS, *(_of_source(one, source, dataset) for one in ours))
    if source.kind == "kmeans":
        yield from _changes(f"learner-{learner}", *(_acceptance(one, learner) for one in ours))


def _of_baselines(config: "Config", dataset: DatasetName) -> Iterator[Change]:
    """Yield what differs in methods without meta-training, from scratch among them."""
    grid, read = config.expanded_grid, ScratchSettings.network
    if any((cell.dataset, cell.source) == (dataset, "scratch") for cell in grid.cells):
        networks = (
            one.scratch.resolve(dataset).apply(one.maml.resolve(dataset).for_scoring(read))
            for one in (config.learners, _USUAL_LEARNERS)
        )
        yield from _training_changes("apart-scratch", *networks)
    if dataset in grid.with_baselines:
        ours, usual = (one.resolve(dataset) for one in (config.baselines, BaselineSettings()))
        choices = {"knn": len(ours.knn.neighbors), "linear": len(ours.linear.c)}
        if any(choices.get(method, 1) > 1 for method in ours.methods):
            validations = ({"validation tasks": one.validation_tasks} for one in (ours, usual))
            yield from _changes("apart-baselines", *validations)
        for method in ours.methods:
            found = (getattr(one, method) for one in (ours, usual))
            yield from _training_changes(f"apart-{method}", *found)


def _of_tasks(
    evaluation: EvaluationSettings, partitions: PartitionSettings, dataset: DatasetName
) -> dict[str, Value]:
    """Return what the test tasks depend on, by its words; their number and split are said apart."""
    found = evaluation.resolve(dataset)
    values: dict[str, Value] = {"query": found.query, "seed of the tasks": found.seed}
    if dataset == "celeba":
        values["attributes of a task"] = partitions.resolve(dataset).pool_attributes
    return values


def _of_source(
    settings: PartitionSettings, source: Source, dataset: DatasetName
) -> dict[str, Value]:
    """Return what makes the partitions of a source, whatever the learner, by its words."""
    own = settings.model_dump(include=settings.read_by(source, dataset) - RULES - _CHECKS)
    found = own.pop(source.kind, None) if source.kind != "kmeans" else {"count": own.pop("count")}
    made_of = {"kmeans": "k-means", "random": "random labels"}.get(source.kind, source.kind)
    shown = {_words(key): _shown(value) for key, value in own.items()}
    for key, value in (found or {}).items():
        if key != "per_embedding":
            words = {"count": f"number by {made_of}", "labels": "random labels"}
            shown[words.get(key, f"{_words(key)} of {source.base}")] = _shown(value)
    return shown


def _acceptance(settings: PartitionSettings, learner: str) -> dict[str, Value]:
    rule = settings.acceptance(learner)
    values = rule.model_dump(exclude={unread_starts(settings.count)}) if rule else {}
    return {_words(key): _shown(value) for key, value in values.items()}


def _training_changes(name: str, ours: Settings, usual: Settings) -> Iterator[Change]:
    """Yield what differs in the keys that results depend on, those of sections among them."""
    left_out = _IDLE | _SAID | _CHECKS
    read = dict(_leaves(ours, left_out | ours.unread))
    return _changes(name, read, dict(_leaves(usual, left_out, whole=True)))


def _leaves(
    settings: Settings, left_out: AbstractSet[str], *, whole: bool = False
) -> Iterator[tuple[str, Value]]:
    """Yield the keys of a section and of those in it, by their words, unless nothing reads them."""
    for key in (key for key in type(settings).model_fields if key not in left_out):
        value = getattr(settings, key)
        if isinstance(value, Settings):
            yield from _leaves(value, frozenset() if whole else value.unread, whole=whole)
        else:
            yield _WORDS.get(key, key), _shown(value)


def _changes(name: str, ours: Mapping[str, Value], usual: Mapping[str, Value]) -> Iterator[Change]:
    for key, value in ours.items():
        if key in usual and value != usual[key]:
            yield name, key, value, usual[key]


def _words(key: str) -> str:
    return _WORDS.get(key, key.replace("_", " "))


def _shown(value: Any) -> Value:
    if isinstance(value, (list, tuple)):
        return "/".join(str(one) for one in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    shown: Value = "none" if value is None else value
    return shown
