import json

import pytest

from cactus.errors import TrainingError
from cactus.progress import MetricsLog


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
