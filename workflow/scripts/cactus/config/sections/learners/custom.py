"""Settings of the meta-learners that users add."""

from typing import Any, ClassVar, Self

from pydantic import Field, model_validator
from typing_extensions import override

from cactus.config.sections.acceptance import AcceptanceSettings
from cactus.config.sections.base import Count, setting
from cactus.config.sections.learners.base import TrainingSettings
from cactus.config.sections.title import Title, refuse_titles_of_datasets, title_setting


class CustomLearner(TrainingSettings):
    """A custom learner; see docs/adding-a-learner.md."""

    own_code: ClassVar = True
    scored: ClassVar = frozenset(
        {"module", "settings", "way", "fixed_way", "evaluation_tasks_at_once"}
    )

    module: str = Field(
        description="Python module with the classes `Learner` and `Settings`: a dotted name, or "
        "the path of a .py file."
    )
    title: Title | None = title_setting()
    settings: dict[str, Any] = setting({}, "Keys of the module's `Settings`.")
    files: list[str] = setting(
        [],
        "Data files that the module reads: paths, folders and patterns like `weights/*.pt`, from "
        "the folder in which Snakemake starts. A changed file makes the models stale, and a job "
        "that opens an undeclared one is refused.",
    )
    fixed_way: bool = setting(
        False,
        "Whether the model has an output for each class in training, like the head of MAML, so "
        "that no evaluated task may have more classes than `way`.",
    )
    transductive: bool = setting(
        False,
        "Whether the prediction of a query may depend on the other queries of its episode. If not, "
        "that is checked; if so, a note below the table says it.",
    )
    acceptance: AcceptanceSettings = setting(
        AcceptanceSettings(), "When k-means runs are accepted for this learner."
    )
    evaluation_tasks_at_once: Count = setting(
        50,
        "Episodes predicted together in evaluation; affects results only by rounding.",
        unit="episodes",
    )

    @property
    @override
    def most_classes(self) -> int | None:
        """As many as in training, if the way is fixed."""
        return self.way if self.fixed_way else None

    @override
    def for_training(self) -> Self:
        """Return the keys that training reads; `files` count by their content."""
        unread: dict[str, Any] = {"title": None, "files": [], "acceptance": AcceptanceSettings()}
        return self.model_copy(update=unread)

    @model_validator(mode="after")
    def _has_one_title(self) -> Self:
        refuse_titles_of_datasets(self.per_dataset)
        return self
