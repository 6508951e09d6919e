"""Trainings that are killed at random moments end with the bits of one that is not."""

import json
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kills.faults import MOMENTS, Fault
from tests.kills.nursery import Nursery
from tests.kills.trainers import STEPS, TRAINERS, write_data

pytestmark = pytest.mark.slow
KILLS_EACH = 12
TEMPORARY_FAILURE = 75


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as warm:
        yield warm


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return folder


@pytest.fixture(scope="module")
def whole(nursery: Nursery, data: Path, tmp_path_factory: pytest.TempPathFactory):
    """The results of each training when nothing interrupts it, and its seconds."""
    results = {}
    for name in TRAINERS:
        folder = tmp_path_factory.mktemp(name) / "whole"
        start = time.monotonic()
        code, printed = nursery.train(name, data, folder, every=None)
        assert code == 0, printed
        assert not (folder / "checkpoints").exists()
        results[name] = contents(folder), time.monotonic() - start
    return results


@pytest.fixture(scope="module")
def kills() -> Counter[str]:
    """Kills so far, by trainer and by what was done."""
    return Counter()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "output").iterdir()}


def steps_saved(folder: Path) -> list[int]:
    """The steps of the files that claim to be whole checkpoints, the newest first."""
    paths = (folder / "checkpoints").glob("step-*.ckpt")
    return sorted((int(path.stem.removeprefix("step-")) for path in paths), reverse=True)


def corrupt(path: Path, chance: random.Random) -> None:
    """Damage a file in a way that a disk might."""
    content = path.read_bytes()
    damaged = bytearray(content)
    while damaged == content:
        place = chance.randrange(len(content))
        match chance.choice(
            ("flipped bit", "truncated", "empty", "zeros", "flipped in the header")
        ):
            case "flipped bit":
                damaged[place] ^= 1 << chance.randrange(8)
            case "truncated":
                del damaged[place:]
            case "empty":
                damaged.clear()
            case "zeros":
                damaged[place:] = bytes(len(content) - place)
            case _:
                damaged[chance.randrange(100)] ^= 1 << chance.randrange(8)
    path.write_bytes(damaged)


class Lineage:
    """One training, from its first start to its end, with all its kills."""

    def __init__(self, nursery: Nursery, name: str, data: Path, folder: Path, seed: str) -> None:
        self.nursery, self.name, self.data, self.folder = nursery, name, data, folder
        self.chance = random.Random(seed)
        self.damaged: Path | None = None
        self.damage = b""

    def attempt(self, seconds: float) -> str | None:
        """Run until a kill, and return what it was; None if the training came to its end."""
        whole = steps_saved(self.folder)[1 if self.damaged else 0 :]
        fault, kill_after = self.plan(seconds)
        code, printed = self.nursery.train(
            self.name, self.data, self.folder, fault=fault, kill_after=kill_after
        )
        assert code in (0, -signal.SIGKILL), printed
        self.check(printed, whole, ended=code == 0)
        if code == 0:
            return None
        saved = steps_saved(self.folder)
        if saved and not self.damaged and self.chance.random() < 0.3:
            self.damaged = self.folder / f"checkpoints/step-{saved[0]:09d}.ckpt"
            corrupt(self.damaged, self.chance)
            self.damage = self.damaged.read_bytes()
        return "outside" if fault is None else fault.moment

    def is_still_damaged(self) -> bool:
        """Whether the damaged file is there, and was not written again by a start from scratch."""
        assert self.damaged is not None
        return self.damaged.exists() and self.damaged.read_bytes() == self.damage

    def plan(self, seconds: float) -> tuple[Fault | None, float | None]:
        """Choose a kill: at a moment of the child's, or after a time."""
        moment = self.chance.choice((*MOMENTS, "outside"))
        if moment == "outside":
            return None, self.chance.uniform(0, seconds)
        return Fault(moment, self.chance.randint(1, 4)), None

    def check(self, printed: str, whole: list[int], *, ended: bool) -> None:
        """Check that the attempt resumed from the newest intact checkpoint, and said so."""
        resumed = re.search(r"resumed from step (\d+) of (\d+)", printed)
        if resumed:
            assert [int(text) for text in resumed.groups()] == [whole[0], STEPS], printed
        began = resumed or ended  # else it may have been killed before it looked for checkpoints
        assert not began or bool(resumed) == bool(whole), printed
        told = self.damaged and f"deleting checkpoint {self.damaged}" in printed
        assert not (began and self.damaged) or told, printed
        assert printed.count("cannot be used") == bool(told), printed
        if began or (told and not self.is_still_damaged()):
            self.damaged = None
        assert len(steps_saved(self.folder)) <= 3  # the third while the last is being renamed


@pytest.mark.parametrize("name", TRAINERS)
def test_a_killed_training_ends_with_the_same_bits(
    name: str, nursery: Nursery, data: Path, tmp_path: Path, whole, kills: Counter[str]
):
    results, seconds = whole[name]
    lineages = 0
    while kills[name] < KILLS_EACH:
        lineages += 1
        seed = f"{name} {lineages}"
        lineage = Lineage(nursery, name, data, tmp_path / str(lineages), seed)
        while (kill := lineage.attempt(seconds)) is not None:
            kills.update([name, kill])
        assert contents(lineage.folder) == results
        assert len(steps_saved(lineage.folder)) <= 2
        unfinished = (lineage.folder / "checkpoints").glob(".step-*")
        assert not list(unfinished)


def test_there_were_kills_enough_and_of_every_kind(kills: Counter[str]):
    if not all(kills[name] for name in TRAINERS):
        pytest.skip("not all trainers were tested")
    print(dict(kills))
    assert sum(kills[name] for name in TRAINERS) >= 50
    assert all(kills[name] >= KILLS_EACH for name in TRAINERS)
    assert all(kills[moment] > 0 for moment in (*MOMENTS, "outside"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", TRAINERS)
def test_a_stopped_training_saves_and_resumes(
    name: str, number: int, nursery: Nursery, data: Path, tmp_path: Path, whole
):
    folder = tmp_path / "stopped"
    stop = Fault("step", 7, number)
    code, printed = nursery.train(name, data, folder, every=None, fault=stop)
    assert code == TEMPORARY_FAILURE, printed
    assert "resumes from step 7" in printed
    assert steps_saved(folder) == [7]
    code, printed = nursery.train(name, data, folder, every=None)
    assert code == 0, printed
    assert json.loads((folder / "resumed.json").read_text()) == [7]
    assert contents(folder) == whole[name][0]


@pytest.mark.parametrize("moment", ["empty", "half", "whole", "renamed"])
def test_a_stop_during_the_writing_of_a_checkpoint_spoils_nothing(
    moment: str, nursery: Nursery, data: Path, tmp_path: Path, whole
):
    folder = tmp_path / "stopped"
    stop = Fault(moment, 4, signal.SIGTERM)
    code, printed = nursery.train("protonets", data, folder, fault=stop)
    assert code == TEMPORARY_FAILURE, printed
    assert steps_saved(folder) == [4, 3]
    code, printed = nursery.train("protonets", data, folder)
    assert "resumed from step 4" in printed
    assert contents(folder) == whole["protonets"][0]


@pytest.mark.parametrize("name", TRAINERS)
def test_a_training_stopped_after_its_last_step_resumes_to_its_results(
    name: str, nursery: Nursery, data: Path, tmp_path: Path, whole
):
    folder = tmp_path / "stopped"
    stop = Fault("step", STEPS, signal.SIGTERM)
    code, printed = nursery.train(name, data, folder, every=None, fault=stop)
    assert code == TEMPORARY_FAILURE, printed
    assert steps_saved(folder) == [STEPS]
    code, printed = nursery.train(name, data, folder, every=None)
    assert code == 0, printed
    assert contents(folder) == whole[name][0]
