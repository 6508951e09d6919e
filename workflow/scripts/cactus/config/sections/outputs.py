"""Settings of tables and figures."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from cactus.config.sections.base import (
    Count,
    Positive,
    Settings,
    refuse_repeats,
    setting,
)

FigureName = Literal[
    "accuracy_grid", "paper_comparison", "shots", "training_curves", "tasks", "partitions"
]

# The table of a run's partitions; those of accuracies are named after their data sets.
QUALITY_TABLE: Final = "partition_quality"

# Figures that show one data set each; the others show the whole run.
PER_DATASET: Final[tuple[FigureName, ...]] = ("training_curves", "tasks", "partitions")


class ContactSheetSettings(Settings):
    """The contact sheet of constructed tasks, with the way and shot of meta-training."""

    tasks: Count = setting(2, "Tasks shown per source.")
    classes: Count = setting(5, "Classes shown per task, one row each; at most its way.")
    queries: Count = setting(5, "Query images shown per class; at most those of meta-training.")
    image_size: Positive = setting(5.0, "Side length of an image on the sheet.", unit="mm")


class OutputSettings(Settings):
    """Tables and figures."""

    figures: list[FigureName] = setting(
        list(get_args(FigureName)),
        "Figures to draw; training_curves, tasks and partitions give one figure per data set.",
    )
    decimals: Annotated[int, Field(ge=0, le=10)] = setting(
        2, "Decimals of the percentages in the tables."
    )
    font_size: Annotated[float, Field(gt=0.0, le=100.0)] = setting(
        8.0, "Font size in figures.", unit="pt"
    )
    dpi: Annotated[int, Field(ge=1, le=2400)] = setting(
        200, "Resolution of the PNG figures.", unit="dots per inch"
    )
    curve_points: Count = setting(
        200, "Points per training curve; longer logs are averaged over windows of equal length."
    )
    contact_sheet: ContactSheetSettings = Field(
        default_factory=ContactSheetSettings, description="The contact sheet of constructed tasks."
    )

    @model_validator(mode="after")
    def _figures_are_distinct(self) -> Self:
        refuse_repeats("figures", self.figures, may_be_empty=True)
        return self


def figure_names(settings: OutputSettings, datasets: Iterable[str]) -> list[str]:
    """Return the names of all figures of a run, ``<figure>`` or ``<figure>-<dataset>``."""
    whole = [name for name in settings.figures if name not in PER_DATASET]
    split = (name for name in settings.figures if name in PER_DATASET)
    return [*whole, *(f"{name}-{dataset}" for name in split for dataset in datasets)]
