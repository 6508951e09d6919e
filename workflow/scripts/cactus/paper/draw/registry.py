"""Draw a figure by its name; only its own module is imported."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final, get_args

from matplotlib import style as matplotlib_style

from cactus.config.printed.titles import UNTITLED, Titles
from cactus.config.sections.outputs import PER_DATASET, FigureName, OutputSettings
from cactus.errors import ConfigError
from cactus.files import write_json
from cactus.paper import style
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.results import read_results
from cactus.stages.make_figure import MakeFigureSpec

FIGURES: Final[tuple[str, ...]] = get_args(FigureName)


def draw(
    name: str,
    run_folder: Path,
    output_stem: Path,
    settings: OutputSettings,
    dataset: str | None = None,
    partitions: Mapping[str, tuple[int, int, int]] = MappingProxyType({}),
    titles: Titles = UNTITLED,
    augmented: Sequence[str] = (),
) -> None:
    """Draw a figure of a run as PDF and PNG, and write the map from its numbers to the results.

    The map has the figure's caption, too.

    Parameters
    ----------
    name
        One of `FIGURES`, and of the modules of `cactus.paper.figures`.
    run_folder
        Folder of the run, with the table of results, which says which cells are drawn.
    output_stem
        Path of the figure without ``.pdf``, ``.png`` or ``.map.json``.
    dataset
        The data set, for the figures in `PER_DATASET`.
    partitions
        Of the task sources in it, for the figure `partitions`; see `FigureInputs`.
    titles
        Titles of what the study adds.
    augmented
        Meta-learners that change the images of their training episodes.

    Raises
    ------
    ConfigError
        There is no such figure, it needs a data set, or it does not take one.
    DataError
        A file that the figure shows is missing or damaged.
    """
    _check(name, dataset)
    results = read_results(run_folder / "tables" / "results.csv")
    own = partitions, titles, augmented
    inputs = FigureInputs(run_folder, results, settings, dataset, *own)
    with matplotlib_style.context(style.rc_parameters(settings), after_reset=True):
        module = import_module(f"cactus.paper.figures.{name}")
        style.save(module.draw(inputs), output_stem, settings.dpi)
    caption = module.caption(inputs)
    figures = {"figure": output_stem.name, "results": "tables/results.csv", "caption": caption}
    write_json(
        output_stem.with_name(f"{output_stem.name}.map.json"),
        {**figures, "cells": module.numbers(inputs)},
    )


def draw_of(spec: MakeFigureSpec, run_folder: Path, output: Path) -> None:
    """Draw the figure of a job; `output` is one of its files, and the others lie beside it.

    Raises
    ------
    ConfigError, DataError
        See `draw`.
    """
    keys = spec.settings, spec.dataset, spec.partitions, spec.titles, spec.augmented
    draw(spec.figure, run_folder, output.with_suffix(""), *keys)


def _check(name: str, dataset: str | None) -> None:
    if name not in FIGURES or (name in PER_DATASET) != (dataset is not None):
        raise ConfigError(
            "There is no such figure.",
            where="outputs.figures",
            got=name + (f" of {dataset}" if dataset else ""),
            fix=f"choose one of {', '.join(FIGURES)}; {', '.join(PER_DATASET)} need a data set, "
            "the others take none",
        )
