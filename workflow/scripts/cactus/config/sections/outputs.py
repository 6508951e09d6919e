"""Settings of tables and figures."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from cactus.config.sections.base import (
    Count,
    Positive,
    Settings,
    UnfitError,
    refuse_repeats,
    setting,
)

FigureName = Literal[
    "accuracy_grid",
    "paper_comparison",
    "shots",
    "differences",
    "training_curves",
    "tasks",
    "partitions",
    "purity",
    "embedding_maps",
    "neighbors",
    "confusion",
    "episodes",
    "diagnostics",
]

# The table of a run's partitions; those of accuracies are named after their data sets.
QUALITY_TABLE: Final = "partition_quality"

# Figures that show the whole run; the others show one data set each.
_OF_THE_RUN: Final = ("accuracy_grid", "paper_comparison", "shots")
PER_DATASET: Final[tuple[FigureName, ...]] = tuple(
    name for name in get_args(FigureName) if name not in _OF_THE_RUN
)
# Not in every run by default: what they show is in the tables, or in the folders of embeddings.
_ON_REQUEST: Final = ("episodes", "diagnostics")


class ContactSheetSettings(Settings):
    """The contact sheet of constructed tasks, with the way and shot of meta-training."""

    tasks: Count = setting(2, "Tasks shown per source.")
    classes: Count = setting(5, "Classes shown per task, one row each; at most its way.")
    queries: Count = setting(5, "Query images shown per class; at most those of meta-training.")
    image_size: Positive = setting(5.0, "Side length of an image on the sheet.", unit="mm")


class OutputSettings(Settings):
    """Tables and figures."""

    figures: list[FigureName] = setting(
        [name for name in get_args(FigureName) if name not in _ON_REQUEST],
        "Figures to draw (docs/figures.md), where the run has what they show; "
        f"{', '.join(_OF_THE_RUN)} show the run, the others give one figure per data set.",
    )
    column_width: Annotated[float, Field(ge=80.0, le=1000.0)] = setting(
        85.0, "Width of figures that fit into one column of a paper.", unit="mm"
    )
    page_width: Annotated[float, Field(ge=80.0, le=1000.0)] = setting(
        180.0,
        "Width of the other figures: two columns, or the text of a paper with one.",
        unit="mm",
    )
    decimals: Annotated[int, Field(ge=0, le=10)] = setting(
        2, "Decimals of the percentages in the tables."
    )
    font_size: Annotated[float, Field(gt=0.0, le=100.0)] = setting(
        8.0, "Font size in figures; the smallest texts have 7/8 of it.", unit="pt"
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

    @model_validator(mode="after")
    def _page_is_no_narrower_than_a_column(self) -> Self:
        if self.page_width < self.column_width:
            fix = f"a page is no narrower than a column: set at least {self.column_width:g}"
            raise UnfitError("page_width", fix)
        return self


def figure_names(settings: OutputSettings, datasets: Iterable[str]) -> list[str]:
    """Return the names of all figures of a run, ``<figure>`` or ``<figure>-<dataset>``."""
    whole = [name for name in settings.figures if name not in PER_DATASET]
    split = (name for name in settings.figures if name in PER_DATASET)
    return [*whole, *(f"{name}-{dataset}" for name in split for dataset in datasets)]
