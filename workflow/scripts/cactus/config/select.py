"""Selection of the keys that each job reads, from the whole configuration."""

from collections.abc import Callable

from cactus.config.base import DatasetName, LearnerName
from cactus.config.data import DataSettings
from cactus.config.grid import Grid
from cactus.config.models import Config
from cactus.config.partition import PartitionSettings
from cactus.config.sample import SampleSettings
from cactus.config.source import Source
from cactus.spec.aggregate_results import AggregateResultsSpec
from cactus.spec.audit_run import AuditRunSpec
from cactus.spec.base import Spec
from cactus.spec.evaluate_model import EvaluateModelSpec
from cactus.spec.make_document import MakeDocumentSpec
from cactus.spec.make_figure import MakeFigureSpec
from cactus.spec.make_partitions import MakePartitionsSpec
from cactus.spec.make_sample import MakeSampleSpec
from cactus.spec.make_table import MakeTableSpec
from cactus.spec.meta_train import MetaTrainSpec
from cactus.spec.prepare_data import PrepareDataSpec, RawAccess
from cactus.spec.run_baselines import RunBaselinesSpec
from cactus.spec.train_embedding import TrainEmbeddingSpec

# Keys of `outputs` that one figure reads besides what all do.
_FIGURE_KEYS = {"training_curves": {"curve_points"}, "tasks": {"contact_sheet"}}
# Keys of a meta-learner that scoring a model reads. From-scratch rows draw their weights anew and
# have steps of their own; trained models bring their weights.
_SCORING_KEYS = {
    "way", "filters", "evaluation_tasks_at_once", "downsampling", "head", "batch_norm_eps",
    "images_at_once", "kernel",
}  # fmt: skip
_SCRATCH_ONLY_KEYS = {"head_init"}
_TRAINED_ONLY_KEYS = {"inner_lr", "evaluation_steps"}
_ACCESS_KEYS = {"raw_dir", "download", "download_timeout", "download_attempts"}


def stage_spec(config: Config, stage: str, **wildcards: str) -> Spec:
    """Return the spec of one job.

    Parameters
    ----------
    stage
        Name of the rule.
    wildcards
        The rule's wildcards, e.g. ``dataset`` and ``seed``.
    """
    return _STAGES[stage](config, **wildcards)


def raw_access(config: Config) -> RawAccess:
    """Select how raw files are reached; sample data lie below the run's folder."""
    access = RawAccess.model_validate(config.data.model_dump(include=_ACCESS_KEYS))
    if not config.sample_data:
        return access
    return access.model_copy(update={"raw_dir": f"results/{config.run}/raw", "download": False})


def result_folders(config: Config) -> list[str]:
    """Return the folders of all evaluations and baselines, below the run's folder."""
    grid = Grid.from_settings(config.grid)
    baselines = (f"baselines/{d}/{e}/s{s}" for d, e, s in grid.baseline_runs)
    return [*(f"evaluations/{cell.name}" for cell in grid.cells), *baselines]


def _make_sample(config: Config, dataset: DatasetName) -> MakeSampleSpec:
    keys = config.sample.model_dump(include={"seed", dataset})
    return MakeSampleSpec(dataset=dataset, settings=SampleSettings.model_validate(keys))


def _prepare_data(config: Config, dataset: DatasetName) -> PrepareDataSpec:
    others = {"mnist", "omniglot", "miniimagenet", "celeba"} - {dataset}
    keys = config.data.model_dump(exclude={*_ACCESS_KEYS, *others})
    settings = DataSettings.model_validate(keys)
    return PrepareDataSpec(dataset=dataset, sample=config.sample_data, settings=settings)


def _train_embedding(
    config: Config, dataset: DatasetName, embedding: str, seed: str
) -> TrainEmbeddingSpec:
    settings = config.embeddings.resolve(embedding, dataset)
    return TrainEmbeddingSpec(
        dataset=dataset,
        embedding=embedding,
        seed=int(seed),
        settings=settings.model_dump(mode="json", exclude={"per_dataset"}),
        compute=config.compute,
    )


def _make_partitions(
    config: Config, dataset: DatasetName, source: str, learner: LearnerName, seed: str
) -> MakePartitionsSpec:
    """Select the keys of one source; the learner decides the size of the classes."""
    training = config.learners.resolve(learner, dataset, source)
    parsed, settings = Source.parse(source), config.partitions.resolve(dataset)
    keys = settings.model_dump(include=_partition_keys(parsed, dataset, learner))
    if "hyperplanes" in keys:
        keys["hyperplanes"] = settings.hyperplanes.resolve(str(parsed.embedding)).model_dump()
    return MakePartitionsSpec(
        dataset=dataset,
        source=source,
        learner=learner,
        seed=int(seed),
        settings=PartitionSettings.model_validate({**keys, "per_dataset": {}}),
        way=training.way,
        shot=training.shot,
        query=training.query,
        compute=config.compute,
    )


def _partition_keys(source: Source, dataset: DatasetName, learner: LearnerName) -> set[str]:
    """Return the keys of `partitions` that one kind of source reads."""
    kmeans = {"clusters", "max_iterations", "tolerance", "max_restarts"}
    match source.kind:
        case "kmeans":
            return kmeans | {"count", "scale_low", "scale_high", learner}
        case "single":
            return kmeans | {learner}
        case "pixels":
            return kmeans | {"scale_low", "scale_high", "pixels"}
        case "random" | "hyperplanes":
            return {source.kind}
    return {"pool_attributes"} if dataset == "celeba" else set()


def _meta_train(
    config: Config, dataset: DatasetName, source: str, learner: LearnerName, seed: str
) -> MetaTrainSpec:
    return MetaTrainSpec(
        dataset=dataset,
        source=source,
        learner=learner,
        seed=int(seed),
        settings=config.learners.resolve(learner, dataset, source),
        pool_attributes=_pool_attributes(config, dataset),
        compute=config.compute,
    )


def _evaluate_model(
    config: Config, dataset: DatasetName, source: str, learner: LearnerName, seed: str
) -> EvaluateModelSpec:
    """Select the keys that scoring reads; those of training alone keep their defaults."""
    scratch = config.learners.scratch.resolve(dataset) if source == "scratch" else None
    training = config.learners.resolve(learner, dataset, source)
    own = _SCRATCH_ONLY_KEYS if scratch else _TRAINED_ONLY_KEYS
    keys = training.model_dump(include=_SCORING_KEYS | own)
    return EvaluateModelSpec(
        dataset=dataset,
        source=source,
        learner=learner,
        seed=int(seed),
        settings=type(training).model_validate({**keys, "per_dataset": {}}),
        scratch=scratch,
        evaluation=config.evaluation.resolve(dataset),
        pool_attributes=_pool_attributes(config, dataset),
        compute=config.compute,
    )


def _pool_attributes(config: Config, dataset: DatasetName) -> int:
    """Return the attributes of a CelebA task; the other data sets do not read the key."""
    return config.partitions.resolve(dataset).pool_attributes if dataset == "celeba" else 0


def _run_baselines(
    config: Config, dataset: DatasetName, embedding: str, seed: str
) -> RunBaselinesSpec:
    return RunBaselinesSpec(
        dataset=dataset,
        embedding=embedding,
        seed=int(seed),
        settings=config.baselines.resolve(dataset),
        evaluation=config.evaluation.resolve(dataset),
        pool_attributes=_pool_attributes(config, dataset),
        threads=config.compute.threads,
    )


def _aggregate_results(config: Config) -> AggregateResultsSpec:
    return AggregateResultsSpec(run=config.run, cells=result_folders(config))


def _make_table(config: Config, dataset: DatasetName) -> MakeTableSpec:
    return MakeTableSpec(dataset=dataset, decimals=config.outputs.decimals)


def _make_document(config: Config) -> MakeDocumentSpec:
    return MakeDocumentSpec(tables=list(Grid.from_settings(config.grid).datasets))


def _make_figure(config: Config, figure: str) -> MakeFigureSpec:
    """Split a figure's name, ``<figure>`` or ``<figure>-<dataset>``, and select what it reads."""
    name, _, dataset = figure.partition("-")
    settings = config.outputs.model_dump(include={"font_size", "dpi", *_FIGURE_KEYS.get(name, ())})
    return MakeFigureSpec.model_validate(
        {"figure": name, "dataset": dataset or None, "settings": settings}
    )


def _audit_run(config: Config) -> AuditRunSpec:
    return AuditRunSpec(run=config.run)


_STAGES: dict[str, Callable[..., Spec]] = {
    "make_sample": _make_sample,
    "prepare_data": _prepare_data,
    "train_embedding": _train_embedding,
    "make_partitions": _make_partitions,
    "meta_train": _meta_train,
    "evaluate_model": _evaluate_model,
    "run_baselines": _run_baselines,
    "aggregate_results": _aggregate_results,
    "make_table": _make_table,
    "make_document": _make_document,
    "make_figure": _make_figure,
    "audit_run": _audit_run,
}
