"""Settings that all meta-learners share."""

import math
from typing import Any, ClassVar, Literal, Self

from cactus.config.sections.base import (
    Count,
    CountOrZero,
    DatasetSettings,
    Fraction,
    Positive,
    Settings,
    UnfitError,
    fitting,
    setting,
)
from cactus.config.sections.views import ViewSettings


class ScoredSettings(DatasetSettings):
    """Settings of which the evaluation of a trained model reads some keys.

    Attributes
    ----------
    scored
        These keys. An edit of another one leaves the accuracies of a trained model as they are.
    """

    scored: ClassVar[frozenset[str]]

    def for_scoring(self, keys: frozenset[str] | None = None) -> Self:
        """Return the keys that scoring reads, or the given ones; others have their defaults."""
        values = self.model_dump(include=set(self.scored if keys is None else keys))
        return type(self).model_validate({**values, "per_dataset": {}})


class ValidationSettings(Settings):
    """Labeled validation episodes, whose accuracy is only logged: it never selects or stops."""

    every: Count = setting(1000, "Interval between two points of the curve.", unit="iterations")
    tasks: Count = setting(100, "Episodes per point, the same for all points.", unit="episodes")
    way: Count = setting(5, "Classes per episode.", unit="classes")
    shot: Count = setting(1, "Support images per class.", unit="images")
    query: Count = setting(5, "Query images per class.", unit="images")


class AugmentationSettings(ViewSettings):
    """Random changes of the images of training episodes, each drawn anew; all are off.

    The paper has none. Validation and evaluation never have them.
    """

    quarter_turns: bool = setting(
        False,
        "Whether each class of an episode is turned by a random multiple of 90 degrees, all its "
        "images alike, so that a turned class counts as another one.",
    )
    instance_tasks: Fraction = setting(
        0.0,
        "Share of the training episodes whose classes are single images: support and queries are "
        "views of one image, drawn from all training images (as in UMTRA, Khodadadeh et al. 2019).",
    )

    @property
    def active(self) -> bool:
        """Whether an image can change."""
        return self.differ or self.quarter_turns or self.instance_tasks > 0

    @fitting
    def _instances_need_views(self) -> None:
        if self.instance_tasks and not self.differ:
            raise UnfitError(
                "instance_tasks",
                "the views of an image would all be the same: set a change beside it, such as "
                "`rotation` or `crop_area_min`",
            )


class TrainingSettings(ScoredSettings):
    """Settings of episodes and outer updates.

    Attributes
    ----------
    own_code
        Whether the learner is a module of users.
    """

    own_code: ClassVar[bool] = False

    way: Count = setting(20, "Classes per training episode.", unit="classes")
    shot: Count = setting(1, "Support images per class in training.", unit="images")
    query: Count = setting(5, "Query images per class in training.", unit="images")
    iterations: CountOrZero = setting(
        30_000, "Outer updates; the weights after the last one are the model.", unit="iterations"
    )
    oracle_iterations: CountOrZero | None = setting(
        None,
        "Outer updates on true classes; null means the same as `iterations`. For MAML on Omniglot "
        "it is 120,000, as in the original's script. A file or `--config` that sets `iterations` "
        "and not this key sets it to null.",
        unit="iterations",
    )
    tasks_per_batch: Count = setting(8, "Episodes per outer update.", unit="episodes")
    outer_lr: Positive = setting(0.001, "Learning rate of Adam in the outer update.")
    outer_schedule: Literal["constant", "cosine"] = setting(
        "constant",
        "The rate stays as it is, as in the original, or falls along half a cosine, to near zero "
        "in the last iteration.",
    )
    gradient_clip: Positive | None = setting(
        None, "Each element of the outer gradient is clipped to +- this; null for no clipping."
    )
    log_every: Count = setting(
        100,
        "Iterations per point of the training curve; each point is their mean.",
        unit="iterations",
    )
    augmentation: AugmentationSettings = AugmentationSettings()
    validation: ValidationSettings = ValidationSettings()

    @property
    def most_classes(self) -> int | None:
        """The most classes that the model can tell apart; None if it takes any number."""
        return None

    def outer_rate(self, step: int) -> float:
        """Return the learning rate of an outer update.

        `cosine` is r / 2 (1 + cos(pi t / T)) (Loshchilov and Hutter 2017, without restarts), a
        function of the step alone, so that a resumed training needs no state for it.

        Parameters
        ----------
        step
            Outer updates done before.
        """
        if self.outer_schedule == "constant":
            return self.outer_lr
        return self.outer_lr * (1 + math.cos(math.pi * step / self.iterations)) / 2

    def for_training(self) -> Self:
        """Return the keys that training reads, which are all."""
        return self

    def for_source(self, *, oracle: bool, way: int | None) -> Self:
        """Return these settings for a source of tasks, as an oracle or for a way of its own."""
        own = self.oracle_iterations if oracle else None
        changes: dict[str, Any] = {
            "iterations": self.iterations if own is None else own,
            "oracle_iterations": None,
        }
        if way is not None:  # a head has no more classes than in training
            validating = min(way, self.validation.way)
            validation = self.validation.model_copy(update={"way": validating})
            changes |= {"way": way, "validation": validation}
        return self.model_copy(update=changes)
