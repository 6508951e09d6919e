import json

import numpy as np
import pytest
import torch

from cactus.errors import TrainingError
from cactus.train.metrics import MetricsLog, RunningMeans


def test_metrics_are_json_lines(tmp_path):
    with MetricsLog(tmp_path / "metrics.jsonl", "cell", 2) as log:
        log.write(1, loss=0.5)
        log.write(2, loss=0.25, accuracy=1.0)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"step": 1, "loss": 0.5},
        {"step": 2, "loss": 0.25, "accuracy": 1.0},
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_metric_that_is_not_finite_stops_the_training(tmp_path, value):
    with (
        MetricsLog(tmp_path / "m.jsonl", "omniglot/acai", 10) as log,
        pytest.raises(TrainingError) as caught,
    ):
        log.write(3, loss=value)
    assert "omniglot/acai, step 3 of 10" in str(caught.value)


@pytest.mark.parametrize("kind", [np.float32, np.array, torch.tensor, float])
def test_scalars_of_libraries_and_a_step_zero_are_recorded(tmp_path, kind):
    with MetricsLog(tmp_path / "m.jsonl", "x", 2) as log:
        log.write(0, loss=kind(0.5), done=3)
        log.write(np.int64(1), loss=torch.tensor(0.25, requires_grad=True))
    lines = (tmp_path / "m.jsonl").read_text().splitlines()
    assert lines == ['{"step": 0, "loss": 0.5, "done": 3}', '{"step": 1, "loss": 0.25}']


@pytest.mark.parametrize("value", ["x", None, [1], torch.ones(2), np.ones(2)])
def test_what_is_no_number_is_refused_by_its_name(tmp_path, value):
    log = MetricsLog(tmp_path / "m.jsonl", "x", 2)
    with log, pytest.raises(TrainingError, match="no number") as caught:
        log.write(1, loss=value)
    assert "loss" in caught.value.where


def test_a_progress_line_tells_step_rate_and_time_left(tmp_path, capsys):
    with MetricsLog(tmp_path / "m.jsonl", "cell", 4, interval=0.0) as log:
        log.write(1, loss=0.5)
    assert "cell: step 1/4" in capsys.readouterr().err


def test_a_line_is_due_after_any_step_and_shows_the_last_metrics(tmp_path, capsys):
    with MetricsLog(tmp_path / "m.jsonl", "cell", 4, interval=0.0) as log:
        log.write(1, loss=0.5)
        log.passed(2)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("cell: step 2/4")
    assert last.endswith("loss 0.5")


def test_a_resumed_log_begins_with_what_was_recorded(tmp_path, capsys):
    with MetricsLog(tmp_path / "m.jsonl", "cell", 4) as log:
        log.write(1, loss=0.5)
        text = log.text()
        log.write(2, loss=0.4)
    with MetricsLog(tmp_path / "m.jsonl", "cell", 4) as log:
        log.resume(1, text)
        log.write(2, loss=0.3)
    assert capsys.readouterr().err == "cell: resumed from step 1 of 4\n"
    lines = (tmp_path / "m.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"step": 1, "loss": 0.5},
        {"step": 2, "loss": 0.3},
    ]


def test_rate_and_time_left_count_from_the_step_of_the_resumption(tmp_path, capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with MetricsLog(tmp_path / "m.jsonl", "cell", 1000) as log:
        log.resume(900, "")
        now[0] += 100.0
        log.passed(950)
    assert "step 950/1000, 0.5 steps/s, 100 s left" in capsys.readouterr().err


def test_means_start_over_after_each_line():
    means = RunningMeans()
    for value in (1.0, 2.0, 6.0):
        means.add({"loss": torch.tensor(value), "accuracy": torch.tensor(value / 8)})
    assert means.pop() == {"loss": 3.0, "accuracy": 0.375}
    means.add({"loss": torch.tensor(5.0), "accuracy": torch.tensor(1.0)})
    assert means.pop() == {"loss": 5.0, "accuracy": 1.0}


def test_means_of_float32_round_as_sums_in_the_order_of_the_steps():
    values = np.random.default_rng(0).normal(size=100).astype(np.float32)
    means = RunningMeans()
    for value in values:
        means.add({"loss": torch.tensor(value)})
    total = np.float32(0)
    for value in values:
        total += value
    assert means.pop() == {"loss": float(total) / 100}


def test_a_metric_in_float64_makes_all_means_exact_to_float64():
    means = RunningMeans()
    for loss, accuracy in ((0.1, 1 / 3), (0.2, 2 / 3)):
        metrics = {"loss": torch.tensor(loss), "accuracy": torch.tensor(accuracy).double()}
        means.add(metrics)
    assert {step.dtype for step in means.steps} == {torch.float64}
    expected = (float(np.float32(0.1)) + float(np.float32(0.2))) / 2
    assert means.pop()["loss"] == expected


def test_restored_means_count_the_steps_before():
    first, second = RunningMeans(), RunningMeans()
    first.add({"loss": torch.tensor(1.0)})
    second.restore(first.steps, torch.device("cpu"))
    second.add({"loss": torch.tensor(2.0)})
    assert second.pop() == {"loss": 1.5}
