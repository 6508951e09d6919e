"""The style of all figures, and saving them reproducibly, byte for byte.

Series differ in marker or line style, too, so that they can be told apart in gray. The colors of
the palette differ for people with deuteranopia and in lightness, which a test measures.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import numpy as np
from matplotlib import rcParams
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from cactus.config.sections.base import BUILT_IN
from cactus.config.sections.names import EMBEDDINGS, METHODS
from cactus.config.sections.outputs import OutputSettings
from cactus.files import atomic_path
from cactus.paper.drawing.text import text_width, wrapped
from cactus.paper.vocabulary import SYNTHETIC_NOTE, is_oracle

MM: Final = 1 / 25.4
PAGE_WIDTH: Final = 180 * MM
SMALL: Final = 0.875  # size of tick labels and notes, as a part of the font size
LINE: Final = 1.25  # distance of lines of text, as a part of their size
_TITLE: Final = 1.125  # size of a figure's title, as a part of the font size
_BANNER_PAD: Final = 0.35  # times the font size
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*", "d", "8")
LINES: Final = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
# Eight hues of different lightness: apart for the color-blind and in gray. The palest is last.
PALETTE: Final = (
    "#0f6db5", "#d45a14", "#16692f", "#55b4e4", "#8a1c56", "#e07898", "#2f1f7a", "#e9c046",
)  # fmt: skip
MINUS: Final = "\N{MINUS SIGN}"
GRAY: Final = "0.45"
BACKGROUND: Final = "0.93"
# Positions in the palette: the two CACTUs methods get its strongest contrast.
_METHOD_COLORS: Final = {
    "cactus-maml": 0,
    "cactus-protonets": 1,
    "knn": 2,
    "linear": 3,
    "mlp": 5,
    "cluster_matching": 4,
}
_CUSTOM_COLORS: Final = (PALETTE[6], PALETTE[7], "#4d3319")  # that no method of the paper has
_REFERENCES: Final = {
    "scratch": (GRAY, LINES[2]),
    "oracle-maml": ("black", LINES[1]),
    "oracle-protonets": ("0.25", LINES[3]),
}


def rc_parameters(settings: OutputSettings) -> dict[str, Any]:
    """Return Matplotlib's parameters for a figure: font sizes in points, thin lines."""
    size = settings.font_size
    return {
        "font.family": "DejaVu Sans",  # comes with Matplotlib, so that all machines draw alike
        "font.size": size,
        "text.hinting": "no_hinting",  # texts are as wide in the PDF as the layout took them to be
        "text.parse_math": False,  # a title may have dollar signs
        "axes.titlesize": size,
        "axes.titlepad": 4,
        "axes.labelsize": size,
        "xtick.labelsize": SMALL * size,
        "ytick.labelsize": SMALL * size,
        "legend.fontsize": SMALL * size,
        "legend.title_fontsize": SMALL * size,
        "legend.handlelength": 1.8,
        "legend.columnspacing": 1.2,
        "figure.titlesize": _TITLE * size,
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
        "pdf.fonttype": 42,  # publishers refuse Type 3 fonts
        "svg.hashsalt": "cactus",
    }


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, with its size in inches, outside pyplot's global state."""
    layout = ConstrainedLayoutEngine(h_pad=2 * MM, w_pad=1 * MM)
    return Figure(figsize=(width, height), layout=layout)


def balanced_columns(panels: int, most: int) -> int:
    """Return how many panels to put side by side so that the last row lacks few."""
    rows = -(-panels // max(most, 1))
    return max(1, -(-panels // max(rows, 1)))


def method_styles(methods: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the look of each method's line: references (scratch, oracles) are gray or black.

    The name of a custom learner decides, so that it looks alike in the figures of all runs, unless
    another one of these methods has its color or marker: then it takes the next one, while there
    is one.
    """
    methods, known = list(methods), list(METHODS)
    learners = sorted({_learner(method) for method in methods if method not in known})
    colors = _distinct(learners, _CUSTOM_COLORS)
    markers = _distinct(learners, MARKERS[len(known) :])
    styles: dict[str, dict[str, Any]] = {}
    for method in methods:
        if method in known:
            default = PALETTE[_METHOD_COLORS.get(method, 6)], LINES[0]
            color, line = _REFERENCES.get(method, default)
            marker = MARKERS[known.index(method)]
        else:
            custom = colors[_learner(method)], LINES[0]
            color, line = ("0.2", LINES[2]) if is_oracle(method) else custom
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


def series_styles(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the color, line style and marker of each of `names`; only true labels are black.

    Up to 32 names differ in color or line style, and neighbors in the list differ in all three.
    """
    styles: dict[str, dict[str, Any]] = {}
    for name in names:
        place = len(styles) - ("labels" in styles)
        turn = place // len(PALETTE)
        styles[name] = {
            "color": PALETTE[place % len(PALETTE)],
            "linestyle": LINES[(place + turn) % len(LINES)],
            "marker": MARKERS[place % (len(MARKERS) - 1)],
        }
        if name == "labels":
            styles[name] = {"color": "black", "linestyle": LINES[0], "marker": MARKERS[-1]}
    return styles


def source_styles(sources: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the look of each task source; the built-in embeddings look alike in all figures."""
    sources = list(sources)
    styles = series_styles(dict.fromkeys([*EMBEDDINGS, *sources]))
    return {source: styles[source] for source in sources}


def loss_styles(losses: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the look of each loss of one network: grays, as the colors are of task sources."""
    shades = np.linspace(0.2, 0.55, len(losses))
    return {
        loss: {**look, "color": f"{shade:.2f}"}
        for (loss, look), shade in zip(series_styles(losses).items(), shades, strict=True)
    }


def legend_below(
    figure: Figure, handles: Sequence[Artist], columns: int, title: str | None = None
) -> None:
    """Add one legend for the whole figure below its panels.

    It has at most `columns` columns, fewer if labels are long; what is wider than the figure is
    wrapped. The figure grows by the legend's height.
    """
    if not handles and not title:
        return
    size = float(rcParams["font.size"]) * SMALL
    width = figure.get_figwidth() - 2 * MM
    around = 4.2 * size / 72  # the line or marker, and the distance to the next column
    labels = [wrapped(str(one.get_label()), width - around, size, lines=3) for one in handles]
    widest = max((text_width(part, size) for one in labels for part in one.split("\n")), default=0)
    columns = max(1, min(columns, len(labels), int(width / (widest + around))))
    if title:
        title = wrapped(title, width, size, lines=12)
    look: dict[str, Any] = {"loc": "outside lower center", "title": title}
    columns = balanced_columns(len(labels), columns)
    _grow(figure, figure.legend(list(handles), labels, ncols=columns, **look))


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
        _add_banner(
            figure, f"{', '.join(BUILT_IN[name].title for name in synthetic)}: {SYNTHETIC_NOTE}"
        )


def add_dataset_title(figure: Figure, title: str, *, synthetic: bool) -> None:
    """Add a data set's title to a figure, in a banner if it is synthetic."""
    if synthetic:
        _add_banner(figure, f"{title}: {SYNTHETIC_NOTE}")
    else:
        _grow(figure, figure.suptitle(_title_lines(figure, title), fontweight="bold"))


def _add_banner(figure: Figure, text: str) -> None:
    """Add a title in a colored box, in two lines if the figure is too narrow for one."""
    box = {"boxstyle": f"round,pad={_BANNER_PAD}", "facecolor": "#9a3412", "edgecolor": "none"}
    if len(_title_lines(figure, text).split("\n")) > 1:
        text = text.replace(": ", ":\n", 1)
    look = {"fontweight": "bold", "color": "white", "bbox": box}
    _grow(figure, figure.suptitle(_title_lines(figure, text), **look))


def _grow(figure: Figure, artist: Artist) -> None:
    """Make a figure higher by the height of a legend or title, so that panels keep theirs."""
    height = artist.get_window_extent().height / figure.dpi
    figure.set_figheight(figure.get_figheight() + height + 2 * MM)


def _title_lines(figure: Figure, text: str) -> str:
    """Return a title in lines that fit into the figure, with a banner's frame."""
    size = float(rcParams["font.size"]) * _TITLE
    width = figure.get_figwidth() - 2 * MM - 2 * _BANNER_PAD * size / 72
    return wrapped(text, width, size, lines=4, bold=True)


def message_figure(message: str, width: float) -> Figure:
    """Return a figure, `width` inches wide, that says why there is nothing to show."""
    figure = new_figure(width, 30 * MM)
    axes = figure.subplots()
    axes.set_axis_off()
    size = float(rcParams["font.size"])
    text = wrapped(message, width - 4 * MM, size, lines=4)
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
    return figure


def hide(axes: Iterable[Axes]) -> None:
    """Leave unused panels blank."""
    for panel in axes:
        panel.set_axis_off()


def lay_out(figure: Figure) -> None:
    """Place the panels for good; later drawing does not solve the layout again.

    The second pass makes room for labels of ticks that the first one has added.
    """
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def save(figure: Figure, stem: Path, dpi: int) -> None:
    """Write ``<stem>.pdf`` and ``<stem>.png``, without dates, so that they can be compared."""
    lay_out(figure)
    with atomic_path(stem.with_name(stem.name + ".pdf")) as path:
        figure.savefig(path, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    with atomic_path(stem.with_name(stem.name + ".png")) as path:
        figure.savefig(path, dpi=dpi, metadata={"Software": None})
