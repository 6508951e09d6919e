"""Score the baselines on one embedding, on the episodes that the learners are scored on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName
from cactus.config.sections.evaluation import BaselineSettings, EvaluationSettings
from cactus.stages.base import EmbeddingKey, Reads, Spec, Stage, pool_attributes, results_of

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


class RunBaselines(Stage[EmbeddingKey]):
    """One job per embedding, unless the grid leaves the baselines out."""

    key = EmbeddingKey
    target = "scores"
    folder = "baselines"
    results = ("summary.json", "accuracies.csv")
    main_result = "accuracies.csv"
    scores = True

    def keys(self, config: "Config") -> Iterator[EmbeddingKey]:
        """Return data set, embedding and seed of each."""
        return (EmbeddingKey(*run) for run in config.expanded_grid.baseline_runs)

    def spec(self, config: "Config", key: EmbeddingKey) -> RunBaselinesSpec:
        """Return the keys of the baselines and of the episodes."""
        return RunBaselinesSpec(
            **key._asdict(),
            settings=config.baselines.resolve(key.dataset),
            evaluation=config.evaluation.resolve(key.dataset),
            pool_attributes=pool_attributes(config, key.dataset),
            threads=config.compute.threads,
        )

    def reads(self, config: "Config", key: EmbeddingKey) -> Iterator[Reads]:
        """Yield the embedding, and the labels of the validation and the evaluated split."""
        split = config.evaluation.resolve(key.dataset).split
        labels = sorted({"val_labels.npy", f"{split}_labels.npy"})
        yield results_of("prepare_data", key.dataset, "manifest.json", *labels)
        arrays = sorted({"train.npy", "val.npy", f"{split}.npy"})
        cell = self.job(**key._asdict()).cell
        yield results_of("train_embedding", cell, "manifest.json", *arrays)


STAGE: Final = RunBaselines()
