"""The style of all figures, and saving them reproducibly, byte for byte."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from cactus.config.sections.outputs import OutputSettings
from cactus.files import atomic_path
from cactus.paper.vocabulary import DATASETS, METHODS, SYNTHETIC_NOTE, is_oracle, method_title

MM: Final = 1 / 25.4
PAGE_WIDTH: Final = 180 * MM
_BANNER_PAD: Final = 0.35  # times the font size
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*", "d", "8")
# Seaborn's palette "colorblind"; most figures need nothing else of seaborn.
_COLORS: Final = (
    "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc",
    "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9",
)  # fmt: skip
# Order of the palette for series without a fixed color: the palest ones last.
_SERIES: Final = (0, 1, 2, 3, 4, 9, 5, 7, 6, 8)
_SERIES_LINES: Final = ("-", ":", "-.")
# Positions in the palette: the two CACTUs methods get its strongest contrast.
_METHOD_COLORS: Final = {
    "cactus-maml": 0,
    "cactus-protonets": 3,
    "knn": 2,
    "linear": 9,
    "mlp": 4,
    "cluster_matching": 5,
}
_CUSTOM_COLORS: Final = (1, 7, 8)  # that no method of the paper has
_REFERENCES: Final = {
    "scratch": ("0.6", ":"),
    "oracle-maml": ("black", "--"),
    "oracle-protonets": ("0.4", "-."),
}


def rc_parameters(settings: OutputSettings) -> dict[str, Any]:
    """Return Matplotlib's parameters for a figure: font sizes in points, thin lines."""
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
    """Return an empty figure, with its size in inches, outside pyplot's global state."""
    layout = ConstrainedLayoutEngine(h_pad=2 * MM, w_pad=1 * MM)
    return Figure(figsize=(width, height), layout=layout)


def method_styles(methods: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the look of each method's line: references (scratch, oracles) are gray or black.

    The name of a custom learner decides, so that it looks alike in the figures of all runs, unless
    another one of these methods has its color or marker: then it takes the next one, while there
    is one.
    """
    methods, known = list(methods), list(METHODS)
    learners = sorted({_learner(method) for method in methods if method not in known})
    colors = _distinct(learners, [_COLORS[place] for place in _CUSTOM_COLORS])
    markers = _distinct(learners, MARKERS[len(known) :])
    styles: dict[str, dict[str, Any]] = {}
    for method in methods:
        if method in known:
            color, line = _REFERENCES.get(method, (_COLORS[_METHOD_COLORS.get(method, 6)], "-"))
            marker = MARKERS[known.index(method)]
        else:
            color, line = ("0.2", ":") if is_oracle(method) else (colors[_learner(method)], "-")
            marker = markers[_learner(method)]
        styles[method] = {"color": color, "marker": marker, "linestyle": line}
    return styles


def _learner(method: str) -> str:
    return method.partition("-")[2]


def _distinct(names: Sequence[str], looks: Sequence[str]) -> dict[str, str]:
    """Give each name a look, by its hash; others while looks are left."""
    given: dict[str, str] = {}
    for name in names:
        start = crc32(name.encode()) % len(looks)
        turned = [*looks[start:], *looks[:start]]
        given[name] = next((one for one in turned if one not in given.values()), turned[0])
    return given


def series_styles(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the color and line style of each of `names`; only true labels are black."""
    styles: dict[str, dict[str, Any]] = {}
    for name in names:
        index = len(styles) - ("labels" in styles)
        color = _COLORS[_SERIES[index % len(_SERIES)]]
        line = _SERIES_LINES[index // len(_SERIES) % len(_SERIES_LINES)]
        labels = name == "labels"
        styles[name] = {
            "color": "black" if labels else color,
            "linestyle": "--" if labels else line,
        }
    return styles


def method_handles(styles: Mapping[str, dict[str, Any]]) -> list[Line2D]:
    """Return legend entries of methods, in the order of their styles."""
    return [Line2D([], [], label=method_title(name), **look) for name, look in styles.items()]


def legend_below(
    figure: Figure, handles: Sequence[Line2D], columns: int, title: str | None = None
) -> None:
    """Add one legend for the whole figure below its panels."""
    figure.legend(handles=list(handles), loc="outside lower center", ncols=columns, title=title)


def add_run_banner(
    figure: Figure, datasets: Sequence[str], synthetic_datasets: Sequence[str]
) -> None:
    """Add a banner to a figure of several data sets if any of them is synthetic.

    Parameters
    ----------
    datasets
        Data sets in the figure.
    synthetic_datasets
        Data sets of the run that are synthetic. If only some of the figure's are, the banner names
        them.
    """
    synthetic = [name for name in datasets if name in synthetic_datasets]
    if synthetic == list(datasets):
        note = SYNTHETIC_NOTE + ("s" if len(synthetic) > 1 else "")
        _add_banner(figure, note[0].upper() + note[1:])
    elif synthetic:
        _add_banner(figure, f"{', '.join(DATASETS[name] for name in synthetic)}: {SYNTHETIC_NOTE}")


def add_dataset_title(figure: Figure, title: str, *, synthetic: bool) -> None:
    """Add a data set's title to a figure, in a banner if it is synthetic."""
    if synthetic:
        _add_banner(figure, f"{title}: {SYNTHETIC_NOTE}")
    else:
        figure.suptitle(title, fontweight="bold")


def _add_banner(figure: Figure, text: str) -> None:
    """Add a title in a colored box, in two lines if the figure is too narrow for one."""
    box = {"boxstyle": f"round,pad={_BANNER_PAD}", "facecolor": "#9a3412", "edgecolor": "none"}
    title = figure.suptitle(text, fontweight="bold", color="white", bbox=box)
    frame = 2 * _BANNER_PAD * float(title.get_fontsize()) / 72 * figure.dpi
    if title.get_window_extent().width + frame > figure.bbox.width:
        title.set_text(text.replace(": ", ":\n", 1))


def message_figure(message: str) -> Figure:
    """Return a figure that says why there is nothing to show."""
    figure = new_figure(PAGE_WIDTH, 30 * MM)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.text(0.5, 0.5, message, ha="center", va="center", wrap=True, transform=axes.transAxes)
    return figure


def hide(axes: Iterable[Axes]) -> None:
    """Leave unused panels blank."""
    for panel in axes:
        panel.set_axis_off()


def save(figure: Figure, stem: Path, dpi: int) -> None:
    """Write ``<stem>.pdf`` and ``<stem>.png``, without dates, so that they can be compared."""
    figure.draw_without_rendering()
    figure.set_layout_engine(None)  # the layout is final, so do not solve it again for each file
    with atomic_path(stem.with_name(stem.name + ".pdf")) as path:
        figure.savefig(path, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    with atomic_path(stem.with_name(stem.name + ".png")) as path:
        figure.savefig(path, dpi=dpi, metadata={"Software": None})
