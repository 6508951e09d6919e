"""Score a meta-trained model, or an untrained one, on the evaluation episodes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName, LearnerName
from cactus.config.sections.compute import ComputeSettings
from cactus.config.sections.evaluation import EvaluationSettings
from cactus.config.sections.learners import MamlSettings, ProtonetsSettings, ScratchSettings
from cactus.config.sections.source import Source
from cactus.config.sections.speed import MamlSpeed, ProtonetsSpeed
from cactus.stages.base import CellStage, CellWildcards, Inputs, Spec, inputs_from

if TYPE_CHECKING:
    from cactus.config.models import Config

# Keys of a learner that scoring reads. From-scratch models draw their weights and have a step count
# of their own; trained models come with weights.
_SCORING_KEYS: Final = {"way", "filters", "downsampling", "head", "batch_norm_eps"}
_SPEED_KEYS: Final = {"kernel", "evaluation_tasks_at_once", "images_at_once"}
_SCRATCH_ONLY_KEYS: Final = {"head_init"}
_TRAINED_ONLY_KEYS: Final = {"inner_lr", "evaluation_steps"}


class EvaluateModelSpec(Spec):
    """Evaluation of one cell."""

    dataset: DatasetName
    source: str
    learner: LearnerName
    seed: int
    settings: MamlSettings | ProtonetsSettings
    speed: MamlSpeed | ProtonetsSpeed
    scratch: ScratchSettings | None
    evaluation: EvaluationSettings
    pool_attributes: int
    compute: ComputeSettings


class EvaluateModel(CellStage):
    """One job per cell of the grid; it covers all settings of way and shot."""

    target = "scores"
    folder = "evaluations"
    results = ("summary.json", "accuracies.csv")
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
        untrained, way = wildcards.source == "scratch", Source.parse(wildcards.source).way
        training = config.learners.resolve(wildcards.learner, wildcards.dataset, wildcards.source)
        own = _SCRATCH_ONLY_KEYS if untrained else _TRAINED_ONLY_KEYS
        keys = training.model_dump(include=_SCORING_KEYS | own)
        speed = config.speed.resolve(wildcards.learner, wildcards.dataset)
        return EvaluateModelSpec(
            **wildcards._asdict(),
            settings=type(training).model_validate({**keys, "per_dataset": {}}),
            speed=type(speed).model_validate(speed.model_dump(include=_SPEED_KEYS)),
            scratch=config.learners.scratch.resolve(wildcards.dataset) if untrained else None,
            evaluation=config.evaluation.resolve(wildcards.dataset).of_way(way),
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
        """Return the module of the learner."""
        return (f"cactus.meta.{wildcards.learner}.learner",)


STAGE: Final = EvaluateModel()
