"""The look of all figures, and saving them so that equal content is equal bytes."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.typing import LineStyleType

from cactus.config.outputs import OutputSettings
from cactus.files import atomic_path
from cactus.paper.vocabulary import METHODS, SAMPLE_NOTE, dataset_title

MM: Final = 1 / 25.4
PAGE_WIDTH: Final = 180 * MM
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*", "d", "8")
# The palette "colorblind" of seaborn, which most figures need for nothing else.
_COLOURS: Final = (
    "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc",
    "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9",
)  # fmt: skip
# Order of the palette for series without a meaning of their own: the palest colours last.
_SERIES: Final = (0, 1, 2, 3, 4, 9, 5, 7, 6, 8)
_SERIES_LINES: Final = ("-", ":", "-.")
# Positions in the colour-blind-safe palette: the two CACTUs methods get its strongest contrast.
_METHOD_COLOURS: Final = {
    "cactus-maml": 0,
    "cactus-protonets": 3,
    "knn": 2,
    "linear": 9,
    "mlp": 4,
    "cluster_matching": 5,
}
_REFERENCES: Final[dict[str, tuple[str, LineStyleType]]] = {
    "scratch": ("0.6", ":"),
    "oracle-maml": ("black", "--"),
    "oracle-protonets": ("0.4", "-."),
}


class Look(NamedTuple):
    """How a method is drawn."""

    color: Any
    marker: str
    linestyle: LineStyleType


def rc_parameters(settings: OutputSettings) -> dict[str, Any]:
    """Return Matplotlib's parameters for a figure: text sizes in points, light lines."""
    size = settings.font_size
    return {
        "font.size": size,
        "axes.titlesize": size,
        "axes.labelsize": size,
        "xtick.labelsize": 0.875 * size,
        "ytick.labelsize": 0.875 * size,
        "legend.fontsize": 0.875 * size,
        "legend.title_fontsize": 0.875 * size,
        "legend.handlelength": 1.8,
        "legend.columnspacing": 1.2,
        "figure.titlesize": 1.125 * size,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.6,
        "axes.grid": True,
        "grid.color": "0.9",
        "grid.linewidth": 0.5,
        "axes.axisbelow": True,
        "lines.linewidth": 1.1,
        "lines.markersize": 3.5,
        "legend.frameon": False,
        "pdf.fonttype": 42,
        "svg.hashsalt": "cactus",
    }


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches; it belongs to no global state."""
    layout = ConstrainedLayoutEngine(h_pad=2 * MM, w_pad=1 * MM)
    return Figure(figsize=(width, height), layout=layout)


def method_look(method: str) -> Look:
    """Return how a method is drawn: references (from scratch, oracle) in greys and black."""
    index = list(METHODS).index(method) if method in METHODS else len(METHODS)
    if method in _REFERENCES:
        colour, line = _REFERENCES[method]
        return Look(colour, MARKERS[index], line)
    return Look(_COLOURS[_METHOD_COLOURS.get(method, 6)], MARKERS[index], "-")


def series_looks(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return a colour and a line style for each of `names`; only true labels are black."""
    looks: dict[str, dict[str, Any]] = {}
    for name in names:
        index = len(looks) - ("labels" in looks)
        colour = _COLOURS[_SERIES[index % len(_SERIES)]]
        line = _SERIES_LINES[index // len(_SERIES) % len(_SERIES_LINES)]
        labels = name == "labels"
        looks[name] = {
            "color": "black" if labels else colour,
            "linestyle": "--" if labels else line,
        }
    return looks


def method_handles(methods: Iterable[str], titles: Iterable[str]) -> list[Line2D]:
    """Return legend entries of methods."""
    return [
        Line2D([], [], color=look.color, marker=look.marker, linestyle=look.linestyle, label=title)
        for look, title in zip(map(method_look, methods), titles, strict=True)
    ]


def legend_below(
    figure: Figure, handles: Sequence[Line2D], columns: int, title: str | None = None
) -> None:
    """Put one legend for the whole figure below its panels."""
    figure.legend(handles=list(handles), loc="outside lower center", ncols=columns, title=title)


def head_run(figure: Figure, datasets: Sequence[str], sample_datasets: Sequence[str]) -> None:
    """Head a figure of several data sets with a banner if it shows sample data.

    Parameters
    ----------
    datasets
        Data sets in the figure.
    sample_datasets
        Data sets of the run that are made from sample data. If only some of the figure's are, the
        banner names them.
    """
    samples = [name for name in datasets if name in sample_datasets]
    if samples == list(datasets):
        note = SAMPLE_NOTE + ("s" if len(samples) > 1 else "")
        _add_banner(figure, note[0].upper() + note[1:])
    elif samples:
        _add_banner(figure, f"{', '.join(map(dataset_title, samples))}: {SAMPLE_NOTE}")


def head_dataset(figure: Figure, dataset: str, sample_datasets: Sequence[str]) -> None:
    """Head the figure of a data set with its name, as a banner if it shows sample data."""
    if dataset in sample_datasets:
        _add_banner(figure, f"{dataset_title(dataset)}: {SAMPLE_NOTE}")
    else:
        figure.suptitle(dataset_title(dataset), fontweight="bold")


def _add_banner(figure: Figure, text: str) -> None:
    box = {"boxstyle": "round,pad=0.35", "facecolor": "#9a3412", "edgecolor": "none"}
    figure.suptitle(text, fontweight="bold", color="white", bbox=box)


def say_empty(figure: Figure, sentence: str) -> None:
    """Fill a figure that has nothing to show with a sentence that says so."""
    axes = figure.subplots()
    axes.set_axis_off()
    axes.text(0.5, 0.5, sentence, ha="center", va="center", wrap=True, transform=axes.transAxes)


def hide(axes: Iterable[Axes]) -> None:
    """Leave the places of panels without content blank."""
    for panel in axes:
        panel.set_axis_off()


def save(figure: Figure, stem: Path, dpi: int) -> None:
    """Write ``<stem>.pdf`` and ``<stem>.png`` without dates, so that they can be compared."""
    figure.draw_without_rendering()
    figure.set_layout_engine(None)  # the layout is found: it need not be solved per file
    with atomic_path(stem.with_name(stem.name + ".pdf")) as path:
        figure.savefig(path, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    with atomic_path(stem.with_name(stem.name + ".png")) as path:
        figure.savefig(path, dpi=dpi, metadata={"Software": None})
