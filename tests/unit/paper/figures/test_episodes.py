import numpy as np
import pytest

from cactus.evaluate.statistics import read_accuracies
from cactus.paper.figures.episodes import draw, numbers
from tests.unit.paper.conftest import Run
from tests.unit.paper.figures.drawing import figure_inputs


def test_a_box_has_the_quartiles_of_the_episodes_averaged_over_seeds(seeds_run: Run):
    axes = draw(figure_inputs(seeds_run, "omniglot")).axes[0]
    assert axes.get_title(loc="left") == "5-way 1-shot"
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[:2] == ["Training from scratch", "ACAI, kNN"]
    line = names.index("ACAI, MAML")
    seeds = []
    for seed in (0, 2, 10):
        folder = seeds_run.folder / f"evaluations/omniglot/acai/maml/s{seed}"
        scores = read_accuracies(folder / "accuracies.csv")
        seeds.append(next(one.accuracies for one in scores if (one.way, one.shot) == (5, 1)))
    episodes = 100 * np.mean(seeds, axis=0)
    boxes = {round(patch.get_path().vertices[:4, 1].mean()): patch for patch in axes.patches}
    corners = boxes[line].get_path().vertices[:, 0]
    assert [corners.min(), corners.max()] == pytest.approx(np.percentile(episodes, (25, 75)))
    means = [one for one in axes.lines if one.get_marker() not in ("", "None")]
    shown = {round(float(one.get_ydata()[0])): float(one.get_xdata()[0]) for one in means}
    assert shown[line] == pytest.approx(episodes.mean())
    assert len(boxes) == len(names) == len(means)


def test_the_map_has_the_mean_of_each_box(seeds_run: Run):
    inputs = figure_inputs(seeds_run, "celeba")
    entries = numbers(inputs)
    assert len(entries) == sum(len(axes.patches) for axes in draw(inputs).axes)
    assert not any("±" in entry["printed"] for entry in entries)
