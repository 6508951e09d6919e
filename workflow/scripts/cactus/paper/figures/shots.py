"""Shot curves: accuracy over the number of labeled images per class."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from cactus.config.printed.titles import Titles
from cactus.paper import style
from cactus.paper.cells import drawn_entries
from cactus.paper.drawing.contrast import readable
from cactus.paper.drawing.text import spread, wrapped
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.vocabulary import is_embedding, is_oracle, method_rank, source_rank

_DECIMALS: Final = 2
_PANEL_WIDTH: Final = 58 * style.MM
_PANEL_HEIGHT: Final = 44 * style.MM
_MARGINS: Final = 4 * style.MM
_LABEL_WIDTH: Final = 24 * style.MM
_AXIS_WIDTH: Final = 14 * style.MM  # to the left of a panel
_LABEL_PLACE: Final = 1.04  # of a line's name, in widths of the panel
# From the left edge of a name to the line's end, so that it crosses no other name.
_LEADER: Final = {"arrowstyle": "-", "color": "0.75", "linewidth": 0.5, "shrinkB": 3,
                  "relpos": (0, 0.5)}  # fmt: skip
_REFERENCES: Final = ("scratch", "labels")
_SHORT: Final = {"scratch": "from scratch", "linear": "linear", "mlp": "MLP",
                 "cluster_matching": "matching"}  # fmt: skip


def draw(inputs: FigureInputs) -> Figure:
    """Draw a panel per data set, way and embedding, with a line per method, named at its end.

    The lines are the meta-learners, training from scratch, the oracles, and the best baseline of
    the embedding on the average of its shots. Other baselines, controls and ablations are in the
    tables, and so are ways with a single shot.
    """
    shown = _shown(inputs.averaged)
    if shown.empty:
        return style.message_figure(caption(inputs), inputs.column)
    panels = _panels(shown)
    columns = style.balanced_columns(len(panels), int(inputs.page / _PANEL_WIDTH))
    rows = -(-len(panels) // columns)
    width = inputs.width(columns * _PANEL_WIDTH)
    figure = style.new_figure(width, rows * _PANEL_HEIGHT + _MARGINS)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    styles = style.method_styles(sorted(set(shown["method"]), key=method_rank))
    labels = []
    for panel, (dataset, way, embedding) in zip(axes, panels, strict=False):
        here = shown["source"].isin([embedding, *_REFERENCES])
        here &= (shown["dataset"] == dataset) & (shown["way"] == way)
        labels.append(_draw_panel(panel, shown[here], styles, inputs))
        title = f"{inputs.titles.dataset(dataset)}, {way}-way"
        title += f"\n{inputs.titles.source(embedding)}" if embedding else ""
        room = width / columns - _AXIS_WIDTH
        text = wrapped(title, room, inputs.settings.font_size, lines=4)
        panel.set_title(text, loc="left")
        label = inputs.accuracy_label(dataset)
        panel.set_ylabel(label)
        panel.set_xlabel("shot (images per class)")
    style.hide(axes[len(panels) :])
    style.add_run_banner(figure, inputs.datasets, inputs.synthetic_datasets)
    _share_heights(list(axes), panels)
    style.lay_out(figure)  # from here on the panels' heights are known
    for panel, texts in zip(axes, labels, strict=False):
        _move_apart(panel, texts, inputs.small)
    return figure


def caption(inputs: FigureInputs) -> str:
    """Return what the figure shows."""
    shown = _shown(inputs.averaged)
    if shown.empty:
        return "No embedding has a way with several shots."
    text = "Accuracy over the number of labeled images per class, with 95 % intervals."
    if len(_panels(shown)) > 1:
        text += " Panels of one data set and way have the same scale."
    if (shown["learner"] == "").any():
        text += " Of the baselines, only the best on the average of the shots is shown."
    return text


def numbers(inputs: FigureInputs) -> list[dict[str, Any]]:
    """Return the map entries of the numbers in the figure."""
    return drawn_entries(_shown(inputs.averaged), _DECIMALS, inputs.titles, interval=True)


def _shown(results: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ways with several shots, of the best baseline only."""
    embeddings = {name for name in results["source"] if is_embedding(name)}
    results = results[results["source"].isin([*embeddings, *_REFERENCES])]
    several = results.groupby(["dataset", "way"])["shot"].transform("nunique") > 1
    results = results[several]
    keys = ["dataset", "way", "source"]
    baselines = results[results["learner"] == ""]
    means = baselines.groupby([*keys, "method"], sort=False)["mean"].mean()
    best = set(means.groupby(level=keys, sort=False).idxmax())
    rows = results[[*keys, "method"]].itertuples(index=False, name=None)
    kept = [bool(learner) or row in best
            for row, learner in zip(rows, results["learner"], strict=True)]  # fmt: skip
    return results[kept]


def _panels(shown: pd.DataFrame) -> list[tuple[str, int, str]]:
    """Return data set, way and embedding of each panel; without embeddings, one of references."""
    panels = []
    groups = shown[["dataset", "way"]].drop_duplicates().itertuples(index=False, name=None)
    for dataset, way in groups:
        rows = shown[(shown["dataset"] == dataset) & (shown["way"] == way)]
        names = sorted(set(rows["source"]) - set(_REFERENCES), key=source_rank)
        panels += [(str(dataset), int(way), name) for name in names or [""]]
    return panels


def _draw_panel(
    axes: Axes, results: pd.DataFrame, styles: Mapping[str, dict[str, Any]], inputs: FigureInputs
) -> list[Annotation]:
    """Draw a line per method, with the shots equally spaced; return the names at their ends."""
    shots = sorted(set(results["shot"]))
    labels, size = [], inputs.small
    for method, rows in results.groupby("method", sort=False):
        rows = rows.sort_values("shot")
        look = styles[str(method)]
        places = [shots.index(shot) for shot in rows["shot"]]
        axes.errorbar(places, 100 * rows["mean"], yerr=100 * rows["ci95"], elinewidth=0.7, **look)
        end = places[-1], 100 * float(rows["mean"].iloc[-1])
        text = wrapped(_short_title(str(method), inputs.titles), _LABEL_WIDTH, size, lines=1)
        labels.append(
            axes.annotate(
                text,
                end,
                xytext=(_LABEL_PLACE, end[1]),
                textcoords=axes.get_yaxis_transform(),
                va="center",
                fontsize=size,
                color=readable(look["color"]),
                annotation_clip=False,
                arrowprops=_LEADER,
            )
        )
    axes.set_xticks(range(len(shots)), [str(shot) for shot in shots])
    axes.set_xlim(-0.25, len(shots) - 1 + 0.25)
    axes.grid(visible=False, axis="x")
    return labels


def _share_heights(axes: Sequence[Axes], panels: Sequence[tuple[str, int, str]]) -> None:
    """Give the panels of one data set and way the same scale."""
    scales = defaultdict(list)
    for panel, (dataset, way, _) in zip(axes, panels, strict=False):
        scales[dataset, way].append(panel)
    for group in scales.values():
        low, high = np.array([panel.get_ylim() for panel in group]).T
        for panel in group:
            panel.set_ylim(low.min(), high.max())


def _short_title(method: str, titles: Titles) -> str:
    """Return the name of a method beside a line."""
    if method in _SHORT:
        return _SHORT[method]
    _, _, learner = method.partition("-")
    if not learner:
        return titles.method(method)
    return f"oracle {titles.learner(learner)}" if is_oracle(method) else titles.learner(learner)


def _move_apart(axes: Axes, labels: list[Annotation], size: float) -> None:
    """Move the names of lines so far up or down that none covers another."""
    low, high = axes.get_ylim()
    line = style.LINE * size / 72 * axes.figure.dpi / axes.bbox.height * (high - low)
    places = spread([label.xyann[1] for label in labels], line, low + line / 2, high - line / 2)
    for label, place in zip(labels, places, strict=True):
        label.xyann = (_LABEL_PLACE, place)
