"""Score a meta-trained model, or an untrained one, on the evaluation episodes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from cactus.config.sections.base import DatasetName
from cactus.config.sections.compute import ComputeSettings
from cactus.config.sections.evaluation import EvaluationSettings
from cactus.stages.base import CellStage, CellWildcards, Inputs, Spec, inputs_from

if TYPE_CHECKING:
    from cactus.config.models import Config


class EvaluateModelSpec(Spec):
    """Evaluation of one cell; the learner validates its settings."""

    dataset: DatasetName
    source: str
    learner: str
    seed: int
    settings: dict[str, Any]
    speed: dict[str, Any] | None
    scratch: dict[str, Any] | None
    evaluation: EvaluationSettings
    pool_attributes: int
    compute: ComputeSettings


class EvaluateModel(CellStage):
    """One job per cell of the grid; it covers all settings of way and shot."""

    target = "scores"
    folder = "evaluations"
    results = ("summary.json", "accuracies.csv", "confusion.csv")
    gpu = True
    main_result = "accuracies.csv"
    scores = True
    work = ("evaluation.tasks",)
    same_time = ("source",)

    def all_wildcards(self, config: "Config") -> Iterator[CellWildcards]:
        """Return all cells."""
        return (CellWildcards(*cell) for cell in config.expanded_grid.cells)

    def spec(self, config: "Config", wildcards: CellWildcards) -> EvaluateModelSpec:
        """Return the keys that scoring reads; keys that only training reads keep their defaults."""
        dataset, source, learner, _ = wildcards
        settings = config.learners.scored(learner, dataset, source)
        speed = config.speed.resolve(learner, dataset)
        scratch = config.learners.scratch.resolve(dataset).model_dump(mode="json")
        return EvaluateModelSpec(
            **wildcards._asdict(),
            settings=settings.model_dump(mode="json"),
            speed=speed and speed.for_scoring().model_dump(mode="json"),
            scratch=scratch if source == "scratch" else None,
            evaluation=config.evaluation_of(dataset, source),
            pool_attributes=config.pool_attributes(wildcards.dataset),
            compute=config.compute,
        )

    def inputs(self, config: "Config", wildcards: CellWildcards) -> Iterator[Inputs]:
        """Yield the evaluated split, and the model if the cell is trained."""
        split = config.evaluation.resolve(wildcards.dataset).split
        arrays = (f"{split}_images.npy", f"{split}_labels.npy")
        yield inputs_from("prepare_data", wildcards.dataset, "manifest.json", *arrays)
        if wildcards.source != "scratch":
            cell = self.job(**wildcards._asdict()).cell
            yield inputs_from("meta_train", cell, "model.json", "model.safetensors")

    def modules(self, config: "Config", wildcards: CellWildcards) -> tuple[str, ...]:
        """Return the modules of the learner."""
        return config.learners.modules(wildcards.learner)

    def declared_files(self, config: "Config", wildcards: CellWildcards) -> list[str]:
        """Return the data files that a custom learner reads."""
        return config.learners.files(wildcards.learner, wildcards.dataset)


STAGE: Final = EvaluateModel()
