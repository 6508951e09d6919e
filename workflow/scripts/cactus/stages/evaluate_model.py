"""Score a meta-trained model, or an untrained one, on the evaluation episodes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.base import DatasetName, LearnerName
from cactus.config.compute import ComputeSettings
from cactus.config.evaluation import EvaluationSettings
from cactus.config.learners import MamlSettings, ProtonetsSettings, ScratchSettings
from cactus.stages.base import CellWildcards, Inputs, Spec, Stage, inputs_from, pool_attributes

if TYPE_CHECKING:
    from cactus.config.models import Config

# Keys of a learner that scoring reads. From-scratch models draw their weights and have a step count
# of their own; trained models come with weights.
_SCORING_KEYS: Final = {
    "way", "filters", "evaluation_tasks_at_once", "downsampling", "head", "batch_norm_eps",
    "images_at_once", "kernel",
}  # fmt: skip
_SCRATCH_ONLY_KEYS: Final = {"head_init"}
_TRAINED_ONLY_KEYS: Final = {"inner_lr", "evaluation_steps"}


class EvaluateModelSpec(Spec):
    """Evaluation of one cell."""

    dataset: DatasetName
    source: str
    learner: LearnerName
    seed: int
    settings: MamlSettings | ProtonetsSettings
    scratch: ScratchSettings | None
    evaluation: EvaluationSettings
    pool_attributes: int
    compute: ComputeSettings


class EvaluateModel(Stage[CellWildcards]):
    """One job per cell of the grid; it covers all settings of way and shot."""

    wildcards = CellWildcards
    target = "scores"
    folder = "evaluations"
    results = ("summary.json", "accuracies.csv")
    main_result = "accuracies.csv"
    scores = True

    def all_wildcards(self, config: "Config") -> Iterator[CellWildcards]:
        """Return all cells."""
        return (CellWildcards(*cell) for cell in config.expanded_grid.cells)

    def spec(self, config: "Config", wildcards: CellWildcards) -> EvaluateModelSpec:
        """Return the keys that scoring reads; keys that only training reads keep their defaults."""
        untrained = wildcards.source == "scratch"
        training = config.learners.resolve(wildcards.learner, wildcards.dataset, wildcards.source)
        own = _SCRATCH_ONLY_KEYS if untrained else _TRAINED_ONLY_KEYS
        keys = training.model_dump(include=_SCORING_KEYS | own)
        return EvaluateModelSpec(
            **wildcards._asdict(),
            settings=type(training).model_validate({**keys, "per_dataset": {}}),
            scratch=config.learners.scratch.resolve(wildcards.dataset) if untrained else None,
            evaluation=config.evaluation.resolve(wildcards.dataset),
            pool_attributes=pool_attributes(config, wildcards.dataset),
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

    def uses_gpu(self, wildcards: CellWildcards) -> bool:
        """Return True: every model can be scored on a GPU."""
        return True


STAGE: Final = EvaluateModel()
