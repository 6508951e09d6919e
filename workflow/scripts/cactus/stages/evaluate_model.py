"""Score a meta-trained model, or an untrained one, on the evaluation episodes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName, LearnerName
from cactus.config.sections.compute import ComputeSettings
from cactus.config.sections.evaluation import EvaluationSettings
from cactus.config.sections.learners import MamlSettings, ProtonetsSettings, ScratchSettings
from cactus.config.sections.speed import MamlSpeed, ProtonetsSpeed
from cactus.stages.base import CellKey, Reads, Spec, Stage, pool_attributes, results_of

if TYPE_CHECKING:
    from cactus.config.models import Config

# Keys of a learner that scoring a model reads. From-scratch rows draw their weights themselves and
# have steps of their own; trained models bring their weights.
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


class EvaluateModel(Stage[CellKey]):
    """One job per cell of the grid, with all settings of way and shot in it."""

    key = CellKey
    target = "scores"
    folder = "evaluations"
    results = ("summary.json", "accuracies.csv")
    main_result = "accuracies.csv"
    scores = True

    def keys(self, config: "Config") -> Iterator[CellKey]:
        """Return all cells."""
        return (CellKey(*cell) for cell in config.expanded_grid.cells)

    def spec(self, config: "Config", key: CellKey) -> EvaluateModelSpec:
        """Return the keys that scoring reads; those of training alone keep their defaults."""
        untrained = key.source == "scratch"
        training = config.learners.resolve(key.learner, key.dataset, key.source)
        own = _SCRATCH_ONLY_KEYS if untrained else _TRAINED_ONLY_KEYS
        keys = training.model_dump(include=_SCORING_KEYS | own)
        speed = config.speed.resolve(key.learner, key.dataset)
        return EvaluateModelSpec(
            **key._asdict(),
            settings=type(training).model_validate({**keys, "per_dataset": {}}),
            speed=type(speed).model_validate(speed.model_dump(include=_SPEED_KEYS)),
            scratch=config.learners.scratch.resolve(key.dataset) if untrained else None,
            evaluation=config.evaluation.resolve(key.dataset),
            pool_attributes=pool_attributes(config, key.dataset),
            compute=config.compute,
        )

    def reads(self, config: "Config", key: CellKey) -> Iterator[Reads]:
        """Yield the evaluated split, and the model if the cell is trained."""
        split = config.evaluation.resolve(key.dataset).split
        arrays = (f"{split}_images.npy", f"{split}_labels.npy")
        yield results_of("prepare_data", key.dataset, "manifest.json", *arrays)
        if key.source != "scratch":
            cell = self.job(**key._asdict()).cell
            yield results_of("meta_train", cell, "model.json", "model.safetensors")

    def modules(self, config: "Config", key: CellKey) -> tuple[str, ...]:
        """Return the module of the learner."""
        return (f"cactus.meta.{key.learner}.learner",)

    def uses_gpu(self, key: CellKey) -> bool:
        """Return that every model is scored on a GPU."""
        return True


STAGE: Final = EvaluateModel()
