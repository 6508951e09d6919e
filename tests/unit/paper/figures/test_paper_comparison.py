from matplotlib.axes import Axes

from cactus.config.sections.outputs import OutputSettings
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.figures.paper_comparison import draw
from cactus.paper.results import averaged_over_seeds, read_results
from tests.unit.paper.conftest import Run


def _points(axes: Axes) -> dict[tuple[float, float], bool]:
    """Return the points (paper, ours) of a panel and whether they are hollow."""
    points = {}
    for container in axes.containers:
        line = container.lines[0]
        place = float(line.get_xdata()[0]), float(line.get_ydata()[0])
        points[place] = line.get_markerfacecolor() == "white"
    return points


def test_every_shared_cell_is_a_point(seeds_run: Run):
    results = read_results(seeds_run.results)
    figure = draw(FigureInputs(seeds_run.folder, results, OutputSettings()))
    rows = averaged_over_seeds(results)
    rows = rows[rows["paper_mean"].notna()]
    panels = {axes.get_title(): _points(axes) for axes in figure.axes if axes.axison}
    wanted: dict[str, dict[tuple[float, float], bool]] = {title: {} for title in panels}
    names = {"omniglot": "Omniglot", "celeba": "CelebA"}
    for row in rows.itertuples():
        title = f"{names[row.dataset]}\n{row.way}-way {row.shot}-shot"
        wanted[title][100 * row.paper_mean, 100 * row.mean] = row.paper_status == "recalled"
    assert len(panels) == 5
    assert panels == wanted
    assert any(hollow for points in panels.values() for hollow in points.values())


def test_both_axes_of_a_panel_are_alike(seeds_run: Run):
    results = read_results(seeds_run.results)
    figure = draw(FigureInputs(seeds_run.folder, results, OutputSettings()))
    for axes in filter(lambda axes: axes.axison, figure.axes):
        assert axes.get_xlim() == axes.get_ylim()
        assert axes.get_xticks().tolist() == axes.get_yticks().tolist()
        low, high = axes.get_xlim()
        assert all(low < value < high for point in _points(axes) for value in point)


def test_a_run_with_nothing_to_compare_says_so(small_run: Run):
    results = read_results(small_run.results)
    results["paper_mean"] = float("nan")
    figure = draw(FigureInputs(small_run.folder, results, OutputSettings()))
    assert "no number for any cell" in figure.axes[0].texts[0].get_text()
