"""Shot curves: accuracy over the number of labeled images per class."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cactus.paper import style
from cactus.paper.cells import drawn_entries
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.vocabulary import (
    dataset_title,
    is_embedding,
    method_rank,
    source_rank,
    source_title,
)

_DECIMALS = 2
_PANEL_WIDTH = 45 * style.MM
_PANEL_HEIGHT = 36 * style.MM
_MARGINS = 35 * style.MM
_REFERENCES = ("scratch", "labels")
_SPREAD = 0.6


def draw(inputs: FigureInputs) -> Figure:
    """Draw a panel per data set and way (rows) and embedding (columns), a line per method.

    Training from scratch and the oracles are in every panel of their row; controls and ablations
    of the partitions are only in the tables.
    """
    results = inputs.averaged
    embeddings = _embeddings(results)
    rows = list(results[["dataset", "way"]].drop_duplicates().itertuples(index=False, name=None))
    shown = _shown(results)
    styles = style.method_styles(sorted(set(shown["method"]), key=method_rank))
    figure = style.new_figure(
        max(len(embeddings) * _PANEL_WIDTH, 110 * style.MM), len(rows) * _PANEL_HEIGHT + _MARGINS
    )
    axes = figure.subplots(len(rows), len(embeddings), squeeze=False, sharey="row")
    for row, (dataset, way) in zip(axes, rows, strict=True):
        for panel, embedding in zip(row, embeddings, strict=True):
            here = shown["source"].isin([embedding, *_REFERENCES])
            here &= (shown["dataset"] == dataset) & (shown["way"] == way)
            _draw_panel(panel, shown[here], styles)
        title = dataset_title(dataset, inputs.titles)
        row[0].set_ylabel(f"{title}, {way}-way\n{inputs.accuracy_label(dataset)}")
    for panel, embedding in zip(axes[0], embeddings, strict=True):
        panel.set_title(source_title(embedding) if embedding else "")
    for panel in axes[-1]:
        panel.set_xlabel("shot (images per class)")
    style.legend_below(figure, style.method_handles(styles), 5 if len(embeddings) > 2 else 3)
    style.add_run_banner(figure, inputs.datasets, inputs.synthetic_datasets)
    return figure


def numbers(inputs: FigureInputs) -> list[dict[str, Any]]:
    """Return the map entries of the numbers in the figure."""
    return drawn_entries(_shown(inputs.averaged), _DECIMALS, inputs.titles, interval=True)


def _embeddings(results: pd.DataFrame) -> list[str]:
    names = {name for name in results["source"] if is_embedding(name)}
    return sorted(names, key=source_rank) or [""]


def _shown(results: pd.DataFrame) -> pd.DataFrame:
    return results[results["source"].isin([*_embeddings(results), *_REFERENCES])]


def _draw_panel(axes: Axes, results: pd.DataFrame, styles: Mapping[str, dict[str, Any]]) -> None:
    """Draw a line per method, with the shots equally spaced whatever their values.

    With a single shot there are no lines, and the methods are side by side.
    """
    shots = sorted(set(results["shot"]))
    methods, spread = list(styles), _SPREAD if len(shots) == 1 else 0.0
    for method, rows in results.groupby("method", sort=False):
        rows = rows.sort_values("shot")
        shift = spread * (methods.index(str(method)) / max(len(methods) - 1, 1) - 0.5)
        axes.errorbar(
            [shots.index(shot) + shift for shot in rows["shot"]],
            100 * rows["mean"],
            yerr=100 * rows["ci95"],
            elinewidth=0.7,
            **styles[str(method)],
        )
    axes.set_xticks(range(len(shots)), [str(shot) for shot in shots])
    axes.set_xlim(-0.4, max(len(shots) - 0.6, 0.4))
