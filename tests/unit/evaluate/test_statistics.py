import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cactus.config.sections.evaluation import EvaluationSettings
from cactus.errors import DataError
from cactus.evaluate.statistics import (
    SettingResult,
    TaskAccuracies,
    check_results,
    read_accuracies,
    summarize,
    summarize_seeds,
    write_accuracies,
    write_results,
)
from cactus.paper.published import read_published
from cactus.paper.results import read_results


def test_summary_is_the_normal_interval() -> None:
    values = np.random.default_rng(0).random(1000)
    summary = summarize(values)
    assert summary.tasks == 1000
    assert summary.mean == pytest.approx(math.fsum(values) / 1000, rel=1e-12)
    assert summary.std == pytest.approx(stats.tstd(values) * math.sqrt(999 / 1000), rel=1e-12)
    low, high = stats.norm.interval(0.95, summary.mean, summary.std / math.sqrt(1000))
    assert summary.ci95 == pytest.approx((high - low) / 2, rel=1e-4)


def test_seeds_are_averaged_task_by_task() -> None:
    values = np.array([[0.2, 0.4, 0.6], [0.4, 0.8, 0.0]])
    over_tasks, seed_std = summarize_seeds(values)
    expected = summarize(np.array([0.3, 0.6, 0.3]))
    assert vars(over_tasks) == pytest.approx(vars(expected))
    assert seed_std == pytest.approx(0.0)
    _, shifted_std = summarize_seeds(values + np.array([[0.0], [0.1]]))
    assert shifted_std == pytest.approx(0.1 / math.sqrt(2))


def test_one_seed_has_no_spread() -> None:
    assert summarize_seeds(np.array([[0.5, 1.0]]))[1] is None


fractions = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@settings(max_examples=30, deadline=None)
@given(values=st.lists(fractions, min_size=1, max_size=4), named=st.booleans())
def test_accuracies_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, values: list[list[float]], named: bool
) -> None:
    path = tmp_path_factory.mktemp("accuracies") / "accuracies.csv"
    method = "knn" if named else ""
    written = [TaskAccuracies(5, shot, np.array(one), method) for shot, one in enumerate(values, 1)]
    write_accuracies(path, written)
    for before, after in zip(written, read_accuracies(path), strict=True):
        assert (before.method, before.way, before.shot) == (after.method, after.way, after.shot)
        assert before.accuracies.tolist() == after.accuracies.tolist()


def test_file_has_one_row_per_episode(tmp_path: Path) -> None:
    path = tmp_path / "accuracies.csv"
    write_accuracies(path, [TaskAccuracies(5, 1, np.array([0.1 + 0.2, 1.0]))])
    expected = "way,shot,episode,accuracy\n5,1,0,0.30000000000000004\n5,1,1,1.0\n"
    assert path.read_text() == expected


HEAD = "way,shot,episode,accuracy\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "way,shot,accuracy\n5,1,0.5\n",
        HEAD + "5,1,0,nan\n",
        HEAD + "5,1,0,1.5\n",
        HEAD + "5,1,0,half\n",
        HEAD + "5,1,0,\n",
        HEAD + "5,1,0\n",
        HEAD + "5,1,0,0.5,9\n",
        HEAD + "5,1,1,0.5\n",
        HEAD + "5,1,0,0.5\n5,1,0,0.5\n",
        HEAD + "5,1,0,0.5\n5,5,0,0.5\n5,1,1,0.5\n",
        HEAD + "five,1,0,0.5\n",
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "accuracies.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_accuracies(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("read", [read_accuracies, read_results, read_published])
def test_a_pipe_in_the_place_of_a_file_is_refused(tmp_path: Path, read: Callable[[Path], Any]):
    os.mkfifo(tmp_path / "rows.csv")
    with pytest.raises(DataError) as refused:
        read(tmp_path / "rows.csv")
    assert refused.value.where == str(tmp_path / "rows.csv")
    assert "not a regular file" in refused.value.got


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        read_accuracies(tmp_path / "accuracies.csv")


@pytest.mark.parametrize("values", [[math.nan], [-0.1], [1.1], [math.inf], [], [[0.5]]])
def test_values_that_are_no_accuracies_are_refused(values: list[float]) -> None:
    with pytest.raises(DataError):
        TaskAccuracies(5, 1, np.array(values))


def result(method: str = "") -> SettingResult:
    accuracies = TaskAccuracies(5, 1, np.array([0.2, 0.6]), method)
    return SettingResult(accuracies, 5, "ab12", {"parameters": {"neighbors": 1}})


def test_summary_file_has_an_entry_per_setting(tmp_path: Path) -> None:
    write_results(tmp_path, [result("knn")], {"dataset": "mnist"})
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["dataset"] == "mnist"
    (entry,) = summary["settings"]
    assert entry == {
        "method": "knn",
        "way": 5,
        "shot": 1,
        "query": 5,
        "tasks": 2,
        "mean": 0.4,
        "std": pytest.approx(0.2),
        "ci95": pytest.approx(1.96 * 0.2 / math.sqrt(2)),
        "episodes_sha256": "ab12",
        "parameters": {"neighbors": 1},
    }


def test_no_summary_outlives_a_failed_write(tmp_path: Path) -> None:
    write_results(tmp_path, [result()], {})
    (tmp_path / "accuracies.csv").unlink()
    (tmp_path / "accuracies.csv").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_results(tmp_path, [result()], {})
    assert not (tmp_path / "summary.json").exists()


EVALUATION = EvaluationSettings.model_validate(
    {"tasks": 4, "query": 5, "settings": [{"way": 2, "shot": 1}, {"way": 5, "shot": 1}]}
)


def scored(way: int, tasks: int = 4, method: str = "", value: float = 0.2, query: int = 5):
    return SettingResult(TaskAccuracies(way, 1, np.full(tasks, value), method), query, "0" * 64)


def test_results_of_all_settings_and_episodes_are_accepted() -> None:
    check_results([scored(2), scored(5, value=7 / 25)], EVALUATION)
    both = [scored(way, method=one) for way in (2, 5) for one in ("knn", "mlp")]
    check_results(both, EVALUATION, ["knn", "mlp"])


@pytest.mark.parametrize(
    ("results", "got"),
    [
        ([scored(2)], "('', 5, 1, 4, 5)"),
        ([scored(2), scored(5), scored(3)], "('', 3, 1, 4, 5)"),
        ([scored(2), scored(2), scored(5)], "('', 2, 1, 4, 5)"),
        ([scored(2), scored(5, tasks=3)], "('', 5, 1, 3, 5); ('', 5, 1, 4, 5)"),
        ([scored(2, query=6, value=0.5), scored(5)], "('', 2, 1, 4, 5); ('', 2, 1, 4, 6)"),
        ([scored(2), scored(5, method="knn")], "('', 5, 1, 4, 5); ('knn', 5, 1, 4, 5)"),
        ([scored(2), scored(5, value=0.21)], "0.21 of 25 queries"),
    ],
)
def test_results_other_than_asked_for_are_refused(results: list[SettingResult], got: str) -> None:
    with pytest.raises(DataError, match="not those that were asked for") as caught:
        check_results(results, EVALUATION)
    assert got in caught.value.got
