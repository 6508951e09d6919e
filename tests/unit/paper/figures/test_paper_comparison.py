from matplotlib.axes import Axes

from cactus.config.printed.titles import UNTITLED
from cactus.config.sections.outputs import OutputSettings
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.figures.paper_comparison import caption, draw, numbers
from cactus.paper.results import averaged_over_seeds, read_results
from cactus.paper.vocabulary import setting_title
from tests.unit.paper.conftest import Run

MARKERS = {"reproduced": "o", "above": "^", "below": "v", "compared": "D"}
Point = tuple[float, str, bool]


def _inputs(run: Run) -> FigureInputs:
    return FigureInputs(run.folder, read_results(run.results), OutputSettings())


def _points(axes: Axes) -> dict[int, Point]:
    """Return the difference, the marker and whether it is hollow, by line of a panel."""
    points = {}
    for container in axes.containers:
        line = container.lines[0]
        hollow = line.get_markerfacecolor() == "white"
        place = round(float(line.get_xdata()[0]), 9)
        points[round(float(line.get_ydata()[0]))] = place, line.get_marker(), hollow
    return points


def _line(source: str, method: str) -> str:
    alone = source in ("scratch", "labels")
    return (
        UNTITLED.method(method)
        if alone
        else f"{UNTITLED.source(source)}, {UNTITLED.method(method)}"
    )


def test_every_shared_cell_is_a_point_that_shows_its_verdict(seeds_run: Run):
    inputs = _inputs(seeds_run)
    panels = {axes.get_title(loc="left"): axes for axes in draw(inputs).axes}
    rows = averaged_over_seeds(inputs.results)
    rows = rows[rows["paper_mean"].notna()]
    wanted: dict[str, dict[int, Point]] = {title: {} for title in panels}
    for row in rows.itertuples():
        title = f"{UNTITLED.dataset(row.dataset)}\n{setting_title(row.way, row.shot)}"
        lines = [_line(*one) for one in
                 rows[rows["dataset"] == row.dataset][["source", "method"]].to_numpy()]  # fmt: skip
        line = list(dict.fromkeys(lines)).index(_line(row.source, row.method))
        point = round(100 * (row.mean - row.paper_mean), 9), MARKERS[row.verdict]
        wanted[title][line] = (*point, row.verdict == "compared")
    assert len(panels) == 5
    assert {title: _points(axes) for title, axes in panels.items()} == wanted
    assert len({point[1] for points in wanted.values() for point in points.values()}) >= 3


def test_zero_is_in_view_and_every_line_is_named(seeds_run: Run):
    figure = draw(_inputs(seeds_run))
    for axes in filter(lambda axes: axes.axison, figure.axes):
        low, high = axes.get_xlim()
        assert low < 0 < high
    first = figure.axes[0]
    names = [label.get_text() for label in first.get_yticklabels()]
    assert len(names) == len(set(names)) > max(_points(first))


def test_a_long_name_takes_two_lines(seeds_run: Run):
    inputs = _inputs(seeds_run)
    inputs.results["source"] = inputs.results["source"].replace("acai+p-1", "random+20-way")
    shown = inputs.results["source"] == "random+20-way"
    inputs.results.loc[shown, ["difference", "verdict"]] = 0.0, "compared"
    labels = [one.get_text() for axes in draw(inputs).axes for one in axes.get_yticklabels()]
    assert "Random assignment, 20-way,\nCACTUs-ProtoNets" in labels
    assert not [one for one in labels if "…" in one]


def test_the_map_has_differences_and_verdicts(seeds_run: Run):
    inputs = _inputs(seeds_run)
    entries = numbers(inputs)
    rows = averaged_over_seeds(inputs.results)
    shown = int(rows["paper_mean"].notna().sum())
    assert [entry["columns"][0] for entry in entries] == ["difference", "verdict"] * shown
    assert {entry["printed"] for entry in entries[1::2]} <= set(MARKERS)


def test_only_verdicts_in_the_figure_are_explained(grid_run: Run):
    (legend,) = draw(_inputs(grid_run)).legends  # all data is synthetic
    assert [text.get_text() for text in legend.get_texts()] == ["compared only: no verdict"]


def test_a_run_with_nothing_to_compare_says_so(small_run: Run):
    inputs = _inputs(small_run)
    inputs.results["difference"] = float("nan")
    inputs.results["verdict"] = "not in the paper"
    assert "no number for any cell" in draw(inputs).axes[0].texts[0].get_text()


def test_numbers_that_are_not_at_hand_are_not_said_to_be_missing(small_run: Run):
    inputs = _inputs(small_run)
    inputs.results["difference"] = float("nan")
    inputs.results["verdict"] = "not at hand"
    assert "at hand for the" in draw(inputs).axes[0].texts[0].get_text()


def test_what_the_paper_lacks_is_said(grid_run: Run):
    figure = draw(_inputs(grid_run))
    (legend,) = figure.legends
    title = legend.get_title().get_text().replace("\n", " ")
    at_hand, _, given = title.partition("without a number in the paper: ")
    assert "no number of the paper at hand: MNIST (all cells)" in at_hand
    assert "Omniglot: DeepCluster, InfoGAN" in given
    rows = averaged_over_seeds(_inputs(grid_run).results)
    known = {"celeba": "CelebA", "omniglot": "Omniglot", "miniimagenet": "miniImageNet"}
    for (dataset, source), cells in rows.groupby(["dataset", "source"]):
        ran = dataset in known and cells["difference"].isna().all()
        if ran and "not at hand" in set(cells["verdict"]):
            assert source in ("scratch", "labels") or UNTITLED.source(str(source)) in at_hand
    texts = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert texts == {"not in the paper", "not at hand"}
    for axes in figure.axes:
        lines = {round(float(bars.lines[0].get_ydata()[0])) for bars in axes.containers}
        named = {round(text.get_position()[1]) for text in axes.texts}
        assert not lines & named
        assert lines | named == set(range(len(axes.get_yticks())))


def test_the_panels_of_a_data_set_fill_the_page(grid_run: Run):
    figure = draw(_inputs(grid_run))
    figure.draw_without_rendering()
    rows: dict[float, list[Axes]] = {}
    for axes in figure.axes:
        rows.setdefault(round(axes.get_position().y0, 3), []).append(axes)
    assert sorted(len(row) for row in rows.values()) == [1, 4, 4]
    lefts = {round(min(one.get_position().x0 for one in row), 3) for row in rows.values()}
    rights = {round(max(one.get_position().x1 for one in row), 3) for row in rows.values()}
    assert len(lefts) == len(rights) == 1


def test_all_panels_have_one_scale(grid_run: Run):
    figure = draw(_inputs(grid_run))
    figure.draw_without_rendering()
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    shown = [bars.lines[0].get_xdata()[0] for axes in figure.axes for bars in axes.containers]
    low, high = figure.axes[0].get_xlim()
    assert low < min(0, *shown) <= max(0, *shown) < high


def test_the_caption_tells_of_what_is_shown(small_run: Run):
    inputs = _inputs(small_run)
    assert "the same range in all panels" in caption(inputs)
    inputs.results["difference"] = float("nan")
    assert caption(inputs) == draw(inputs).axes[0].texts[0].get_text().replace("\n", " ")
