import hashlib
import io
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

import cactus.files
from cactus.errors import StoppedError, StorageError
from cactus.train.checkpoint import Checkpoints
from cactus.train.stop import StopRequest
from tests.unit.train.test_stop import Clock


def checkpoints(folder: Path, fingerprint: str = "mine", **keys) -> Checkpoints:
    keys = {"seconds": None, "steps": 1, "stop": StopRequest("job"), **keys}
    return Checkpoints(folder, fingerprint, **keys)


def save(folder: Path, *steps: int, fingerprint: str = "mine") -> None:
    one = checkpoints(folder, fingerprint)
    for step in steps:
        one.reached(step, lambda step=step: {"weights": torch.full((100,), float(step))})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def restored(folder: Path) -> float | None:
    state = checkpoints(folder).restore()
    return None if state is None else float(state["weights"][0])


def test_nothing_saved_nothing_restored(tmp_path):
    one = checkpoints(tmp_path / "none")
    assert one.restore() is None
    assert one.resumed_from == []


def test_a_state_comes_back_bit_for_bit(tmp_path):
    weights = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    layout = torch.zeros(2, 3, 4, 4).to(memory_format=torch.channels_last)
    draws = np.random.default_rng(3)
    draws.random(5)
    noise = torch.Generator().manual_seed(1)
    parameter = torch.nn.Parameter(torch.ones(4))
    adam = torch.optim.Adam([parameter])
    parameter.sum().backward()
    adam.step()
    state = {
        "weights": weights,
        "layout": layout,
        "draws": draws.bit_generator.state,
        "noise": noise.get_state(),
        "adam": adam.state_dict(),
        "text": '{"step": 1}\n',
        "list": [1, 2.5, None],
    }
    checkpoints(tmp_path).reached(1, lambda: state)
    found = checkpoints(tmp_path).restore()
    assert found is not None
    assert torch.equal(found["weights"], weights)
    assert found["layout"].stride() == layout.stride()
    assert found["text"] == state["text"]
    assert found["list"] == state["list"]
    again = np.random.default_rng()
    again.bit_generator.state = found["draws"]
    assert again.random() == draws.random()
    assert found["adam"]["param_groups"] == state["adam"]["param_groups"]
    assert torch.equal(found["adam"]["state"][0]["exp_avg"], torch.full((4,), 0.1))


def test_the_last_two_are_kept(tmp_path):
    save(tmp_path, 1, 2, 3)
    assert names(tmp_path) == ["step-000000002.ckpt", "step-000000003.ckpt"]
    assert restored(tmp_path) == 3.0


def test_the_newest_is_the_one_of_the_last_step_whatever_the_clocks_say(tmp_path):
    save(tmp_path, 1, 2)
    os.utime(tmp_path / "step-000000002.ckpt", (1e9, 1e9))
    assert restored(tmp_path) == 2.0
    save(tmp_path, 3)
    os.utime(tmp_path / "step-000000003.ckpt", (0, 0))
    save(tmp_path, 4)
    assert names(tmp_path) == ["step-000000003.ckpt", "step-000000004.ckpt"]


def test_saved_by_steps(tmp_path):
    one = checkpoints(tmp_path, steps=3)
    saved = []
    for step in range(1, 11):
        one.reached(step, lambda step=step: saved.append(step) or {})
    assert saved == [3, 6, 9]


def test_saved_by_time_since_the_last(tmp_path):
    clock = Clock()
    one = checkpoints(tmp_path, seconds=10.0, steps=None, clock=clock)
    saved = []
    for step in range(1, 8):
        clock.now += 4.0
        one.reached(step, lambda step=step: saved.append(step) or {})
    assert saved == [3, 6]


def test_never_saved_without_an_interval(tmp_path):
    clock = Clock()
    one = checkpoints(tmp_path, steps=None, clock=clock)
    clock.now += 1e9
    one.reached(1, lambda: pytest.fail("the state was taken"))


def test_intervals_count_from_the_restored_step(tmp_path):
    save(tmp_path, 5)
    one = checkpoints(tmp_path, steps=3)
    one.restore()
    saved = []
    for step in range(6, 10):
        one.reached(step, lambda step=step: saved.append(step) or {})
    assert saved == [8]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda content: content[: len(content) // 2], "sha256"),
        (lambda content: content[:-1], "sha256"),
        (lambda _: b"", "first line"),
        (lambda content: content[:40], "first line"),
        (lambda content: b"\xff" + content[1:], "first line"),
        (lambda content: content[:-50] + bytes([content[-50] ^ 1]) + content[-49:], "sha256"),
        (lambda content: b"[]\n" + content, "first line"),
    ],
)
def test_a_damaged_newest_gives_way_to_the_one_before(tmp_path, capsys, damage, told):
    save(tmp_path, 1, 2)
    newest = tmp_path / "step-000000002.ckpt"
    newest.write_bytes(damage(newest.read_bytes()))
    assert restored(tmp_path) == 1.0
    line = capsys.readouterr().err
    assert str(newest) in line
    assert told in line
    assert names(tmp_path) == ["step-000000001.ckpt"]


def test_with_all_damaged_the_training_starts_over(tmp_path, capsys):
    save(tmp_path, 1, 2)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    assert restored(tmp_path) is None
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert names(tmp_path) == []


def test_another_fingerprint_is_never_used(tmp_path, capsys):
    save(tmp_path, 7, 8, fingerprint="other")
    assert restored(tmp_path) is None
    assert "belongs to other code, configuration or data" in capsys.readouterr().err
    assert names(tmp_path) == []
    save(tmp_path, 1)
    assert restored(tmp_path) == 1.0


def test_unfinished_files_are_cleared_away(tmp_path):
    save(tmp_path, 1)
    (tmp_path / ".step-000000002.abc.ckpt").write_bytes(b"half")
    assert restored(tmp_path) == 1.0
    assert names(tmp_path) == ["step-000000001.ckpt"]


def test_older_ones_that_a_kill_left_are_cleared_away(tmp_path):
    save(tmp_path, 1, 2)
    for step in (1, 2):
        path = tmp_path / f"step-{step:09d}.ckpt"
        path.rename(tmp_path / f"step-{step + 7:09d}.ckpt")
    save(tmp_path / "other", 1)
    (tmp_path / "other/step-000000001.ckpt").rename(tmp_path / "step-000000001.ckpt")
    (tmp_path / "other").rmdir()
    assert restored(tmp_path) == 2.0
    assert names(tmp_path) == ["step-000000008.ckpt", "step-000000009.ckpt"]


def test_a_requested_stop_saves_and_then_stops(tmp_path):
    with StopRequest("job") as stop:
        one = checkpoints(tmp_path, steps=None, stop=stop)
        with pytest.raises(StoppedError) as caught, stop.deferred():  # noqa: PT012
            one.reached(1, dict)
            os.kill(os.getpid(), signal.SIGTERM)
            one.reached(2, lambda: {"weights": torch.ones(1)})
            pytest.fail("the request was not heeded")
    assert caught.value.exit_code == 75
    assert "resumes from step 2" in caught.value.fix
    assert names(tmp_path) == ["step-000000002.ckpt"]


def test_all_resumptions_are_remembered(tmp_path):
    save(tmp_path, 3)
    for last in (4, 6):
        one = checkpoints(tmp_path)
        one.restore()
        one.reached(last, dict)
    assert one.resumed_from == [3, 4]
    final = checkpoints(tmp_path)
    final.restore()
    assert final.resumed_from == [3, 4, 6]


def test_a_full_disk_leaves_the_earlier_ones(tmp_path, monkeypatch):
    save(tmp_path, 1, 2)

    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cactus.files, "_flush_to_disk", full)
    with pytest.raises(StorageError):
        save(tmp_path, 3)
    assert names(tmp_path) == ["step-000000001.ckpt", "step-000000002.ckpt"]


def test_pickled_code_is_not_run(tmp_path, capfd):
    save(tmp_path, 1)
    checkpoints(tmp_path).reached(2, lambda: {"path": tmp_path})
    assert restored(tmp_path) == 1.0
    assert "PyTorch cannot read its content (UnpicklingError)" in capfd.readouterr().err


def forge(folder: Path, step: int, payload: bytes) -> None:
    """Write a checkpoint whose first line fits its content."""
    header = {"fingerprint": "mine", "sha256": hashlib.sha256(payload).hexdigest()}
    path = folder / f"step-{step:09d}.ckpt"
    path.write_bytes(json.dumps(header).encode() + b"\n" + payload)


def packed(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


WHOLE = packed({"step": 2, "resumed_from": [], "state": {"weights": torch.ones(100)}})


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"PK\x03\x04", b"\x80\x02}.", WHOLE[:-40], WHOLE[: len(WHOLE) // 2],
        packed(torch.ones(3)), packed([1]), packed({}), packed({"step": 2, "state": {}}),
        packed({"step": "2", "resumed_from": [], "state": {}}),
        packed({"step": True, "resumed_from": [], "state": {}}),
        packed({"step": 2, "resumed_from": [None], "state": {}}),
        packed({"step": 2, "resumed_from": [], "state": [1]}),
    ],
    ids=map(str, range(13)),
)  # fmt: skip
def test_a_damaged_checkpoint_with_a_fitting_hash_falls_back_to_the_older_one(
    tmp_path, capfd, payload
):
    save(tmp_path, 1)
    forge(tmp_path, 2, payload)
    assert restored(tmp_path) == 1.0
    assert names(tmp_path) == ["step-000000001.ckpt"]
    assert "deleting checkpoint" in capfd.readouterr().err


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError(), StoppedError])
def test_a_checkpoint_is_kept_if_it_is_not_to_blame(tmp_path, error):
    save(tmp_path, 1)
    if error is StoppedError:
        error = StoppedError("", where="", got="", fix="")

    def fail(_: object) -> None:
        raise error

    with pytest.raises(type(error)):
        checkpoints(tmp_path).restore(fail)
    assert restored(tmp_path) == 1.0
