import numpy as np
import pytest

from cactus.config.sections.outputs import OutputSettings
from cactus.paper.drawing.contrast import contrast
from cactus.paper.figures.accuracy_grid import draw
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.results import averaged_over_seeds, read_results
from tests.unit.paper.conftest import Run


def test_every_cell_shows_its_mean(seeds_run: Run):
    results = read_results(seeds_run.results)
    figure = draw(FigureInputs(seeds_run.folder, results, OutputSettings()))
    blocks = {axes.get_title(loc="left"): axes for axes in figure.axes[:2]}
    assert list(blocks) == ["MAML", "ProtoNets"]
    labels = [label.get_text() for label in blocks["MAML"].get_yticklabels()]
    assert labels == ["From scratch", "ACAI", "Pixels", "ACAI, P = 1",
                      "True labels (oracle)"]  # fmt: skip
    rows = averaged_over_seeds(results)
    rows = rows[rows["learner"] == "maml"]
    omniglot_first = rows.sort_values(["way", "shot"], kind="stable")
    wanted = [
        [100 * row.mean for row in omniglot_first.itertuples() if row.source == source
         and row.dataset == dataset]
        for source in ("scratch", "acai", "pixels", "acai+p-1", "labels")
        for dataset in ("omniglot", "celeba")
    ]  # fmt: skip
    shown = np.asarray(blocks["MAML"].collections[0].get_array()).reshape(5, 5)
    assert np.array_equal(shown.ravel(), np.concatenate(wanted))
    texts = [text.get_text().split("\n") for text in blocks["MAML"].texts][:25]
    assert [mean for mean, _ in texts] == [f"{value:.1f}" for value in shown.ravel()]
    halves = {f"±{100 * row.ci95:.1f}" for row in rows.itertuples()}
    assert {half for _, half in texts} <= halves


def test_the_scale_spans_the_data_and_every_number_can_be_read(seeds_run: Run):
    results = read_results(seeds_run.results)
    figure = draw(FigureInputs(seeds_run.folder, results, OutputSettings()))
    rows = averaged_over_seeds(results)
    means = 100 * rows[rows["learner"] != ""]["mean"]
    for axes in figure.axes[:2]:
        mesh = axes.collections[0]
        assert mesh.get_clim() == pytest.approx((means.min(), means.max()))
        colors = mesh.to_rgba(mesh.get_array().ravel())
        texts = [text for text in axes.texts if text.get_text().startswith(tuple("0123456789"))]
        for text, (red, green, blue, _) in zip(texts, colors, strict=True):
            assert contrast(text.get_color(), (red, green, blue)) >= 4.5


def test_a_cell_that_was_not_run_stays_empty(seeds_run: Run):
    results = read_results(seeds_run.results)
    gap = (results["dataset"] == "celeba") & (results["method"] == "cactus-maml")
    figure = draw(FigureInputs(seeds_run.folder, results[~gap], OutputSettings()))
    shown = np.ma.getmaskarray(figure.axes[0].collections[0].get_array()).reshape(5, 5)
    assert shown[:, 4].tolist() == [False, True, True, True, False]
    assert not shown[:, :4].any()


def test_a_run_of_baselines_only_says_so(small_run: Run):
    results = read_results(small_run.results)
    inputs = FigureInputs(small_run.folder, results[results["learner"] == ""], OutputSettings())
    assert "no meta-learner" in draw(inputs).axes[0].texts[0].get_text()
