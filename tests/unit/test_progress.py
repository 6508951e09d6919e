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
