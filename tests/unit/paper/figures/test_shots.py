from itertools import combinations

import pytest
from matplotlib.text import Text

from cactus.config.sections.names import METHODS
from cactus.config.sections.outputs import OutputSettings
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.figures.shots import draw
from cactus.paper.results import averaged_over_seeds, read_results
from cactus.paper.style import method_styles
from tests.unit.paper.conftest import Run


def test_lines_follow_the_means_over_the_shots(grid_run: Run):
    results = read_results(grid_run.results)
    figure = draw(FigureInputs(grid_run.folder, results, OutputSettings()))
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes if axes.axison}
    assert len(panels) == 4 * 4  # not CelebA, which has a single shot
    bigan_on_miniimagenet = panels["miniImageNet, 5-way\nBiGAN"]
    assert [tick.get_text() for tick in bigan_on_miniimagenet.get_xticklabels()] == [
        "1", "5", "20", "50",
    ]  # fmt: skip
    lines = {
        (container.lines[0].get_color(), container.lines[0].get_marker()): container.lines[0]
        for container in bigan_on_miniimagenet.containers
    }
    rows = averaged_over_seeds(results)
    rows = rows[(rows["dataset"] == "miniimagenet")
                & rows["source"].isin(["scratch", "labels", "bigan"])]  # fmt: skip
    baselines = rows[rows["learner"] == ""].groupby("method")["mean"].mean()
    shown = rows[(rows["learner"] != "") | (rows["method"] == baselines.idxmax())]
    assert len(lines) == shown["method"].nunique() == 6
    looks = method_styles(sorted(set(rows["method"])))
    for method, group in shown.groupby("method"):
        look = looks[str(method)]
        line = lines[look["color"], look["marker"]]
        assert list(line.get_ydata()) == (100 * group.sort_values("shot")["mean"]).tolist()
        assert list(line.get_xdata()) == [0, 1, 2, 3]


def test_every_line_is_named_at_its_end_on_one_scale_per_way(grid_run: Run):
    results = read_results(grid_run.results)
    figure = draw(FigureInputs(grid_run.folder, results, OutputSettings()))
    panels = [axes for axes in figure.axes if axes.axison]
    for axes in panels:
        ends = {(line.lines[0].get_xdata()[-1], line.lines[0].get_ydata()[-1])
                for line in axes.containers}  # fmt: skip
        assert {text.xy for text in axes.texts} == ends
    omniglot = [axes.get_ylim() for axes in panels if "Omniglot, 5-way" in axes.get_title("left")]
    assert len(omniglot) == 4
    assert len(set(omniglot)) == 1


def test_leaders_end_at_their_names_and_cross_none(grid_run: Run):
    results = read_results(grid_run.results)
    figure = draw(FigureInputs(grid_run.folder, results, OutputSettings()))
    figure.draw_without_rendering()
    for axes in (one for one in figure.axes if one.axison):
        left = min(Text.get_window_extent(name).x0 for name in axes.texts)
        for name in axes.texts:
            assert name.arrow_patch.get_window_extent().x1 <= left, name.get_text()


def test_a_run_without_several_shots_says_so(one_run: Run):
    inputs = FigureInputs(one_run.folder, read_results(one_run.results), OutputSettings())
    assert "several shots" in draw(inputs).axes[0].texts[0].get_text()


def test_methods_are_distinguishable():
    methods = ["scratch", "knn", "linear", "mlp", "cluster_matching", "cactus-maml",
               "cactus-protonets", "oracle-maml", "oracle-protonets"]  # fmt: skip
    looks = method_styles(methods).values()
    assert len({look["marker"] for look in looks}) == len(methods)
    assert len({look["color"] for look in looks}) == len(methods)


def test_methods_of_custom_learners_look_unlike_those_of_the_paper():
    known = method_styles(METHODS).values()
    for name in ("mine", "anil", "matching_networks", "a" * 100):
        cactus, oracle = method_styles([f"cactus-{name}", f"oracle-{name}"]).values()
        assert cactus == method_styles([f"cactus-{name}"])[f"cactus-{name}"]
        assert cactus != oracle
        assert not {cactus["marker"], oracle["marker"]} & {look["marker"] for look in known}
        assert cactus["color"] not in {look["color"] for look in known}


@pytest.mark.parametrize("count", [2, 3])
def test_custom_learners_of_a_figure_have_colors_of_their_own(count: int):
    names = [f"learner_{number}" for number in range(12)]
    for learners in combinations(names, count):
        looks = method_styles([f"cactus-{name}" for name in learners]).values()
        assert len({look["color"] for look in looks}) == count
        assert len({look["marker"] for look in looks}) == count
    many = method_styles(["cactus-maml", *(f"cactus-{name}" for name in names[:5])]).values()
    assert len({look["marker"] for look in many}) == 6
