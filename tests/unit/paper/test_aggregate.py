import csv
import math
import shutil
import statistics
from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest

from cactus.errors import DataError
from cactus.paper.aggregate import aggregate
from cactus.paper.results import COLUMNS, averaged_over_seeds, read_results, sorted_results
from tests.unit.paper.conftest import SPLITS, Run
from tests.unit.paper.fake_run import SETTINGS, FakeRun, edit_summary


def _accuracies(path: Path) -> dict[tuple[str, str, str], list[float]]:
    """Read the accuracies of a cell by (method, way, shot) without the package."""
    values = defaultdict(list)
    with (path / "accuracies.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            key = row.get("method", ""), row["way"], row["shot"]
            values[key].append(float(row["accuracy"]))
    return values


def _mean_std_ci(values: list[float]) -> tuple[float, float, float]:
    mean = math.fsum(values) / len(values)
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return mean, std, 1.96 * std / math.sqrt(len(values))


def _folder(run: Run, row: pd.Series, seed: str) -> Path:
    if row["learner"]:
        name = f"evaluations/{row['dataset']}/{row['source']}/{row['learner']}/s{seed}"
    else:
        name = f"baselines/{row['dataset']}/{row['source']}/s{seed}"
    return run.folder / name


def _key(row: pd.Series) -> tuple[str, str, str]:
    return "" if row["learner"] else row["method"], str(row["way"]), str(row["shot"])


def test_rows_of_one_seed_summarize_its_tasks(seeds_run: Run):
    results = read_results(seeds_run.results)
    rows = results[results["seed"] != "all"]
    # Two data sets with 1 and 4 settings; 9 methods and sources of MAML and ProtoNets, 4 baselines.
    assert len(rows) == (1 + 4) * (9 + 4) * 3
    for _, row in rows.iterrows():
        values = _accuracies(_folder(seeds_run, row, row["seed"]))[_key(row)]
        mean, std, half = _mean_std_ci(values)
        assert row["tasks"] == len(values) == 40
        assert math.isclose(row["mean"], mean, rel_tol=1e-12)
        assert math.isclose(row["std"], std, rel_tol=1e-12)
        assert math.isclose(row["ci95"], half, rel_tol=1e-12)
        assert math.isnan(row["seed_std"])


def test_rows_of_all_seeds_average_task_by_task(seeds_run: Run):
    rows = averaged_over_seeds(read_results(seeds_run.results))
    assert len(rows) == (1 + 4) * (9 + 4)
    for _, row in rows.iterrows():
        seeds = [_accuracies(_folder(seeds_run, row, s))[_key(row)] for s in ("0", "2", "10")]
        tasks = [math.fsum(task) / 3 for task in zip(*seeds, strict=True)]
        mean, std, half = _mean_std_ci(tasks)
        assert math.isclose(row["mean"], mean, rel_tol=1e-12)
        assert math.isclose(row["std"], std, rel_tol=1e-12)
        assert math.isclose(row["ci95"], half, rel_tol=1e-12)
        spread = statistics.stdev(math.fsum(values) / len(values) for values in seeds)
        assert math.isclose(row["seed_std"], spread, rel_tol=1e-9)


def test_rows_say_what_baselines_selected(seeds_run: Run):
    results = read_results(seeds_run.results)
    rows = results[(results["dataset"] == "celeba") & (results["learner"] == "")]
    found = {
        (row["method"], row["seed"]): (row["selected"], row["validation_tasks"])
        for _, row in rows.iterrows()
    }
    assert found["knn", "0"] == ("neighbors=3", 500)
    assert found["knn", "10"] == ("neighbors=1", 500)
    assert found["knn", "all"] == ("neighbors=3 or neighbors=1", 500)
    assert found["linear", "all"] == ("c=0.1", 500)
    assert found["mlp", "all"] == ("dropout=0.5 hidden_units=128", 100)
    assert found["cluster_matching", "all"] == ("", 0)
    trained = results[results["learner"] != ""]
    assert set(trained["selected"]) == {""}
    assert set(trained["validation_tasks"]) == {0}


def test_one_seed_is_its_own_average(small_run: Run):
    results = read_results(small_run.results)
    one, all_seeds = results[results["seed"] == "0"], averaged_over_seeds(results)
    columns = ["source", "method", "way", "shot", "tasks", "mean", "std", "ci95"]
    pd.testing.assert_frame_equal(
        one[columns].reset_index(drop=True), all_seeds[columns], check_exact=True
    )
    assert all_seeds["seed_std"].isna().all()


def test_columns_order_and_flags(seeds_run: Run):
    results = read_results(seeds_run.results)
    assert list(results.columns) == COLUMNS
    assert set(results["run"]) == {"seeds_1"}
    assert list(dict.fromkeys(results["dataset"])) == ["omniglot", "celeba"]
    assert list(dict.fromkeys(results["seed"])) == ["0", "2", "10", "all"]
    assert set(results[results["synthetic"]]["dataset"]) == {"celeba"}
    assert list(dict.fromkeys(results["source"])) == [
        "scratch", "acai", "pixels", "acai+p-1", "labels",
    ]  # fmt: skip


def test_paper_numbers_are_next_to_ours(seeds_run: Run):
    results = averaged_over_seeds(read_results(seeds_run.results))
    keys = ["dataset", "source", "method", "way", "shot"]
    rows = results.set_index(keys)
    maml = rows.loc[("omniglot", "acai", "cactus-maml", 5, 1)]
    assert (maml["paper_mean"], maml["paper_ci95"], maml["in_paper"]) == (0.6884, 0.008, True)
    celeba = rows.loc[("celeba", "acai", "cactus-maml", 2, 5)]
    assert not celeba["in_paper"]
    assert math.isnan(celeba["paper_mean"])
    assert celeba["paper_status"] == ""
    pixels = rows.loc[("omniglot", "pixels", "cactus-maml", 20, 5)]
    assert (pixels["in_paper"], pixels["paper_status"]) == (True, "unavailable")
    assert not rows.loc[("omniglot", "pixels", "cactus-protonets", 20, 5)]["in_paper"]


def test_the_order_of_the_cells_does_not_matter(seeds_run: Run, published: Path, tmp_path: Path):
    aggregate(
        seeds_run.folder,
        seeds_run.folder.name,
        seeds_run.cells[::-1],
        SPLITS,
        published,
        tmp_path / "again.csv",
    )
    assert (tmp_path / "again.csv").read_bytes() == seeds_run.results.read_bytes()


def test_reading_gives_back_the_exact_numbers(seeds_run: Run):
    with seeds_run.results.open(newline="") as file:
        raw = [float(row["mean"]) for row in csv.DictReader(file)]
    assert read_results(seeds_run.results)["mean"].tolist() == raw


def test_sorting_shuffled_rows_gives_the_same_table(seeds_run: Run):
    results = read_results(seeds_run.results)
    shuffled = results.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(sorted_results(shuffled), results)


@pytest.fixture
def copied_run(small_run: Run, tmp_path: Path) -> Run:
    shutil.copytree(small_run.folder, tmp_path / "small")
    return Run(tmp_path / "small", small_run.cells)


def _failure(run: Run, published: Path) -> DataError:
    before = run.results.read_bytes()
    with pytest.raises(DataError) as caught:
        aggregate(run.folder, run.folder.name, run.cells, SPLITS, published, run.results)
    assert run.results.read_bytes() == before
    return caught.value


def test_other_episodes_are_found_and_both_cells_named(copied_run: Run, published: Path):
    edit_summary(copied_run.folder / "evaluations/omniglot/acai/maml/s0", episodes_sha256="f" * 64)
    error = _failure(copied_run, published)
    assert "same episodes" in error.what
    assert "evaluations/omniglot/acai/maml/s0" in error.where
    assert "baselines/omniglot/acai/s0" in error.where
    assert "5-way 1-shot" in error.where
    assert "f" * 12 in error.got


def test_a_missing_cell_is_named(copied_run: Run, published: Path):
    shutil.rmtree(copied_run.folder / "evaluations/omniglot/acai/maml/s0")
    assert _failure(copied_run, published).where == "evaluations/omniglot/acai/maml/s0"


def test_half_written_cells_are_not_trusted(copied_run: Run, published: Path):
    (copied_run.folder / "baselines/omniglot/acai/s0/summary.json").unlink()
    assert _failure(copied_run, published).where == "baselines/omniglot/acai/s0"


def test_a_summary_of_other_accuracies_is_found(copied_run: Run, published: Path):
    edit_summary(copied_run.folder / "evaluations/omniglot/acai/maml/s0", mean=0.5)
    error = _failure(copied_run, published)
    assert error.where.endswith("evaluations/omniglot/acai/maml/s0/summary.json")


def test_a_missing_setting_is_named(
    copied_run: Run, published: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(SETTINGS, "omniglot", SETTINGS["omniglot"][:3])
    other = FakeRun(copied_run.folder, embeddings=("bigan",), synthetic=())
    error = _failure(Run(copied_run.folder, copied_run.cells + other.build()), published)
    assert "bigan" in error.where
    assert "20-way 5-shot" in error.got


def test_an_empty_list_of_cells_is_refused(small_run: Run, published: Path, tmp_path: Path):
    with pytest.raises(DataError, match="nothing to aggregate"):
        aggregate(small_run.folder, "small", [], SPLITS, published, tmp_path / "results.csv")
    assert not list(tmp_path.iterdir())


def test_a_table_with_other_columns_is_refused(tmp_path: Path):
    (tmp_path / "results.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="cannot be read"):
        read_results(tmp_path / "results.csv")
