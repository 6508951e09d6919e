"""Score the baselines on one embedding, on the same episodes as the learners."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName
from cactus.config.sections.evaluation import BaselineSettings, EvaluationSettings
from cactus.stages.base import (
    EmbeddingStage,
    EmbeddingWildcards,
    Inputs,
    Spec,
    inputs_from,
)

if TYPE_CHECKING:
    from cactus.config.models import Config


class RunBaselinesSpec(Spec):
    """Baselines on one embedding."""

    dataset: DatasetName
    embedding: str
    seed: int
    settings: BaselineSettings
    evaluation: EvaluationSettings
    pool_attributes: int
    threads: int


def baseline_cell(cell: str, method: str) -> str:
    """Return the name of a baseline's cell: a method stands where a learner's name does."""
    start, _, seed = cell.rpartition("/")
    return f"{start}/{method}/{seed}"


class RunBaselines(EmbeddingStage):
    """One job per embedding, unless the grid leaves out the baselines."""

    target = "scores"
    folder = "baselines"
    results = ("summary.json", "accuracies.csv")
    main_result = "accuracies.csv"
    scores = True
    work = ("evaluation.tasks",)

    def all_wildcards(self, config: "Config") -> Iterator[EmbeddingWildcards]:
        """Return the embeddings that baselines are scored on."""
        return (EmbeddingWildcards(*run) for run in config.expanded_grid.baseline_runs)

    def spec(self, config: "Config", wildcards: EmbeddingWildcards) -> RunBaselinesSpec:
        """Return the keys of the baselines and of the episodes."""
        return RunBaselinesSpec(
            **wildcards._asdict(),
            settings=config.baselines.resolve(wildcards.dataset),
            evaluation=config.evaluation.resolve(wildcards.dataset),
            pool_attributes=config.pool_attributes(wildcards.dataset),
            threads=config.compute.threads,
        )

    def modules(self, config: "Config", wildcards: EmbeddingWildcards) -> tuple[str, ...]:
        """Return the regressions and the k-means by scikit-learn, if they are selected."""
        settings = config.baselines.resolve(wildcards.dataset)
        found = []
        if "linear" in settings.methods and settings.linear.solver == "scikit-learn":
            found.append("cactus.evaluate.baselines.scikit_learn_linear")
        if (
            "cluster_matching" in settings.methods
            and settings.cluster_matching.kmeans == "scikit-learn"
        ):
            found.append("cactus.tasks.kmeans.scikit")
        return tuple(found)

    def inputs(self, config: "Config", wildcards: EmbeddingWildcards) -> Iterator[Inputs]:
        """Yield the embedding, and the labels of the validation and evaluated splits."""
        split = config.evaluation.resolve(wildcards.dataset).split
        labels = sorted({"val_labels.npy", f"{split}_labels.npy"})
        yield inputs_from("prepare_data", wildcards.dataset, "manifest.json", *labels)
        arrays = sorted({"train.npy", "val.npy", f"{split}.npy"})
        cell = self.job(**wildcards._asdict()).cell
        yield inputs_from("train_embedding", cell, "manifest.json", *arrays)


STAGE: Final = RunBaselines()
