import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cactus.config.sections.outputs import OutputSettings
from cactus.errors import DataError
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.figures.training_curves import draw, read_log
from cactus.paper.results import read_results
from tests.unit.paper.conftest import Run


def _log(path: Path, lines: list[dict[str, float]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_short_logs_are_read_as_they_are(tmp_path: Path):
    lines = [{"step": 1, "loss": 3.0}, {"step": 2, "loss": 2.0, "val_accuracy": 0.5}]
    log = read_log(_log(tmp_path / "metrics.jsonl", lines), 10)
    rows = list(log[["metric", "step", "value"]].itertuples(index=False, name=None))
    assert rows == [("loss", 1, 3.0), ("loss", 2, 2.0), ("val_accuracy", 2, 0.5)]


def test_long_logs_become_means_of_windows(tmp_path: Path):
    lines = [{"step": step, "loss": float(step**2)} for step in range(1, 7)]
    log = read_log(_log(tmp_path / "metrics.jsonl", lines), 3)
    assert log["step"].tolist() == [1.5, 3.5, 5.5]
    assert log["value"].tolist() == [2.5, 12.5, 30.5]


@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), points=st.integers(1, 70))
def test_a_curve_has_no_more_points_and_stays_in_range(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], points: int
):
    path = tmp_path_factory.mktemp("log") / "metrics.jsonl"
    log = read_log(_log(path, [{"step": i, "loss": v} for i, v in enumerate(values, 1)]), points)
    assert len(log) == min(points, len(values))
    assert (np.diff(log["step"]) > 0).all()
    tolerance = 1e-9 * max(map(abs, values))
    assert log["value"].min() >= min(values) - tolerance
    assert log["value"].max() <= max(values) + tolerance


def test_an_empty_log_has_no_curve(tmp_path: Path):
    assert read_log(_log(tmp_path / "metrics.jsonl", []), 10).empty


@pytest.mark.parametrize("text", ["no json\n", '{"loss": 1.0}\n', '{"step": 1, "loss": "x"}\n'])
def test_damaged_logs_are_named(tmp_path: Path, text: str):
    (tmp_path / "metrics.jsonl").write_text(text)
    with pytest.raises(DataError) as caught:
        read_log(tmp_path / "metrics.jsonl", 10)
    assert caught.value.where == str(tmp_path / "metrics.jsonl")


def _curves(run: Run, dataset: str, points: int = 200):
    inputs = FigureInputs(
        run.folder, read_results(run.results), OutputSettings(curve_points=points), dataset
    )
    return draw(inputs)


def test_panels_show_the_logs_of_all_seeds(seeds_run: Run):
    figure = _curves(seeds_run, "omniglot", points=1000)
    panels = {(axes.get_title(loc="left"), axes.get_ylabel()): axes
              for axes in figure.axes if axes.axison}  # fmt: skip
    assert list(panels) == [
        ("ACAI", "loss"),
        ("MAML", "training loss"),
        ("MAML", "val. accuracy [%]"),
        ("ProtoNets", "training loss"),
        ("ProtoNets", "val. accuracy [%]"),
    ]
    assert len(panels["ACAI", "loss"].lines) == 2
    accuracy = panels["MAML", "val. accuracy [%]"]
    assert len(accuracy.lines) == len(accuracy.collections) == 4  # means, and bands of seeds
    seeds = []
    for seed in (0, 2, 10):
        path = seeds_run.folder / f"models/omniglot/acai/maml/s{seed}/metrics.jsonl"
        logged = [json.loads(line) for line in path.read_text().splitlines()]
        seeds.append([100 * line["val_accuracy"] for line in logged if "val_accuracy" in line])
    mean, low, high = np.mean(seeds, axis=0), np.min(seeds, axis=0), np.max(seeds, axis=0)
    shown = [np.allclose(line.get_ydata(), mean, rtol=1e-12) for line in accuracy.lines]
    assert shown == [True, False, False, False]
    corners = accuracy.collections[0].get_paths()[0].vertices
    assert {*np.round(low, 9), *np.round(high, 9)} <= set(np.round(corners[:, 1], 9))
    steps = accuracy.lines[0]
    assert steps.get_marker() != "None"
    assert steps.get_xdata().tolist() == list(range(50, 501, 50))


def test_a_panel_has_few_lines_and_every_series_a_look_of_its_own(grid_run: Run):
    figure = _curves(grid_run, "omniglot")
    learners = [axes for axes in figure.axes if "MAML" in axes.get_title(loc="left")]
    assert len(learners) == 4
    assert all(len(axes.lines) <= 6 for axes in learners)
    looks = {(line.get_color(), str(line.get_linestyle()), line.get_marker())
             for axes in learners[1::2] for line in axes.lines}  # fmt: skip
    (legend,) = figure.legends
    assert len(looks) == len(legend.get_texts()) == 9


def test_a_missing_log_is_named(seeds_run: Run, tmp_path: Path):
    inputs = FigureInputs(tmp_path, read_results(seeds_run.results), OutputSettings(), "omniglot")
    with pytest.raises(DataError) as caught:
        draw(inputs)
    assert caught.value.where == str(tmp_path / "embeddings/omniglot/acai/s0/metrics.jsonl")


def test_an_untrained_embedding_has_no_panel(small_run: Run, tmp_path: Path):
    folder = shutil.copytree(small_run.folder, tmp_path / "run")
    run = Run(folder, small_run.cells)
    before = [axes.get_ylabel() for axes in _curves(run, "omniglot").axes if axes.axison]
    (folder / "embeddings/omniglot/acai/s0/metrics.jsonl").write_text("")
    after = [axes.get_ylabel() for axes in _curves(run, "omniglot").axes if axes.axison]
    assert before == ["loss", *after]
