import hashlib
import io
import json
import os
import signal
from pathlib import Path

import pytest
import torch

from cactus.errors import StoppedError
from cactus.train.checkpoint import Checkpoints
from cactus.train.loop import train
from cactus.train.metrics import MetricsLog
from cactus.train.stop import StopRequest

CPU = torch.device("cpu")
STEPS = 10


class Counter:
    """A trainee whose only weight is its number of steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.step, self.stop_after = 0, stop_after

    def training_state(self):
        return {"step": self.step}

    def load_training_state(self, state):
        self.step = state["step"]

    def train_step(self):
        self.step += 1
        if self.step == self.stop_after:
            os.kill(os.getpid(), signal.SIGTERM)
        return {"loss": torch.tensor(float(self.step))}


def run(folder: Path, trainee: Counter, steps: int = STEPS) -> list[int]:
    """Train to the end or to the stop; return the steps of all resumptions."""
    with StopRequest("job") as stop, MetricsLog(folder / "metrics.jsonl", "job", steps) as log:
        checkpoints = Checkpoints(folder / "checkpoints", "f", seconds=None, steps=None, stop=stop)
        train(
            trainee,
            trainee.train_step,
            steps=steps,
            log_every=4,
            log=log,
            checkpoints=checkpoints,
            device=CPU,
            validate=lambda step: {"score": step / 2} if step % 3 == 0 else {},
        )
    return checkpoints.resumed_from


def lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_means_and_validation_are_logged_when_due(tmp_path):
    assert run(tmp_path, Counter()) == []
    assert lines(tmp_path) == [
        {"step": 3, "score": 1.5},
        {"step": 4, "loss": 2.5},
        {"step": 6, "score": 3.0},
        {"step": 8, "loss": 6.5},
        {"step": 9, "score": 4.5},
        {"step": 10, "loss": 9.5},
    ]


def test_a_stopped_training_resumes_within_a_line_of_the_log(tmp_path):
    run(tmp_path / "whole", Counter())
    with pytest.raises(StoppedError):
        run(tmp_path / "stopped", Counter(stop_after=6))
    trainee = Counter()
    assert run(tmp_path / "stopped", trainee) == [6]
    assert trainee.step == STEPS
    assert lines(tmp_path / "stopped") == lines(tmp_path / "whole")


def test_no_steps_train_nothing(tmp_path):
    trainee = Counter()
    run(tmp_path, trainee, steps=0)
    assert trainee.step == 0
    assert lines(tmp_path) == []


@pytest.mark.parametrize(
    "state", [{}, {"step": "6"}, {"step": 11}, {"step": -1}, {"step": None}], ids=str
)
def test_a_state_that_does_not_fit_is_left_for_the_older_one_or_the_start(tmp_path, capfd, state):
    run(tmp_path / "whole", Counter())
    folder = tmp_path / "stopped"
    for stop in (3, 6):
        with pytest.raises(StoppedError):
            run(folder, Counter(stop_after=stop))
    older, newer = sorted((folder / "checkpoints").iterdir())
    for path, resumed in [(newer, [3]), (older, [])]:
        _, _, payload = path.read_bytes().partition(b"\n")
        content = torch.load(io.BytesIO(payload), weights_only=True)
        content["state"]["training"] = state
        buffer = io.BytesIO()
        torch.save(content, buffer)
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        header = json.dumps({"fingerprint": "f", "sha256": digest})
        path.write_bytes(header.encode() + b"\n" + buffer.getvalue())
        trainee = Counter()
        assert run(folder, trainee) == resumed
        assert trainee.step == STEPS
        assert lines(folder) == lines(tmp_path / "whole")
        printed = capfd.readouterr().err
        assert f"deleting checkpoint {path}, which cannot be used: it does not fit" in printed
        assert ("starting over" in printed) == (not resumed)
