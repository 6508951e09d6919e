from statistics import median

import pytest

from cactus.config.printed.titles import Titles
from cactus.paper.results import averaged_over_seeds, read_results
from cactus.paper.summary import format_summary, summarize
from tests.unit.paper.conftest import Run

EMBEDDINGS = ("acai", "bigan", "deepcluster", "infogan")


def test_the_median_is_that_of_the_embeddings_cells_alone(grid_run: Run):
    results = read_results(grid_run.results)
    rows = results[results["seed"] == "0"].to_dict("records")
    here = [r for r in rows if (r["dataset"], r["way"], r["shot"]) == ("omniglot", 20, 1)]
    cells = [100 * r["mean"] for r in here if r["source"] in EMBEDDINGS and "cactus" in r["method"]]
    assert len(cells) == 8
    found = summarize(results).set_index(["data set", "setting"]).loc["Omniglot", "20-way 1-shot"]
    assert found["cells"] == 8
    assert found["median"] == pytest.approx(median(cells))
    assert (found["lowest"], found["highest"]) == pytest.approx((min(cells), max(cells)))
    best = max(
        (r for r in here if r["source"] in EMBEDDINGS and "cactus" in r["method"]),
        key=lambda row: row["mean"],
    )
    assert found["best cell"] == Titles().pair(best["source"], best["method"])
    scratch = [100 * r["mean"] for r in here if r["method"] == "scratch"]
    assert found["scratch"] == pytest.approx(scratch[0])
    oracle = [100 * r["mean"] for r in here if r["source"] == "labels"]
    assert found["oracle"] == pytest.approx(max(oracle))


def test_every_data_set_and_setting_has_a_row(grid_run: Run):
    results = read_results(grid_run.results)
    settings = results[["dataset", "way", "shot"]].drop_duplicates()
    assert len(summarize(results)) == len(settings)


def test_missing_rows_show_as_such_and_sample_data_is_named(small_run: Run, grid_run: Run):
    text = format_summary(read_results(small_run.results))
    assert "synthetic data" not in text
    assert text.splitlines()[-2].split()[-4:-2] == ["-", "-"]
    assert "synthetic data" in format_summary(read_results(grid_run.results)).splitlines()[0]


def test_the_last_line_counts_the_verdicts(small_run: Run, grid_run: Run):
    results = averaged_over_seeds(read_results(small_run.results))
    line = format_summary(read_results(small_run.results)).splitlines()[-1]
    head, counts = line.split(": ")
    assert head == "Against the paper"
    found = {name: int(count) for count, name in (one.split(" ", 1) for one in counts.split(", "))}
    assert found == results["verdict"].value_counts().to_dict()
    synthetic = format_summary(read_results(grid_run.results)).splitlines()[-1]
    assert "compared only" in synthetic
    assert not any(name in synthetic for name in ("reproduced", "above", "below"))


def test_a_data_set_of_ones_own_has_its_title(small_run: Run):
    results = read_results(small_run.results)
    own, titles = results.assign(dataset="birds"), Titles(datasets={"birds": "Garden birds"})
    assert set(summarize(own)["data set"]) == {"birds"}
    assert set(summarize(own, titles)["data set"]) == {"Garden birds"}
    assert "Garden birds" in format_summary(own, titles)
