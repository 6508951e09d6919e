"""Estimates follow from measurements and counted work; what was not measured is unknown."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from cactus.cli.main import main
from cactus.cli.study.measure import measure, seconds_per_step, training_images
from cactus.config.load import parse_config
from cactus.files import file_hash
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.records.record import Activity, Agent, FileEntity, Record, write_record
from cactus.provenance.staleness.estimate import JobCost, estimate, job_kind
from cactus.provenance.staleness.measured import MEASURED_FILE, Measured, add_short_ones
from cactus.provenance.staleness.open_run import open_planner
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job

CACHE = HashCache(None)  # of the sources
DATA = Job("prepare_data", "mnist")
GRID = {"datasets": ["mnist"], "embeddings": ["acai"], "learners": ["protonets"], "seeds": [0, 1]}
TRAIN = Job("meta_train", "mnist/acai/protonets/s0")
OTHER_SEED = Job("meta_train", "mnist/acai/protonets/s1")
EVALUATE = Job("evaluate_model", "mnist/acai/protonets/s0")


def planner(results: Path, run: str, **learner: Any) -> Planner:
    values = {
        "run": run,
        "grid": {**GRID, "controls": {"mnist": []}},
        "compute": {"device": "cpu"},
        "learners": {"protonets": learner},
    }
    return open_planner(parse_config(values), results / run, cache=CACHE)


def record(made: Planner, job: Job, seconds: float, *, device: str = "cpu", **more: Any) -> None:
    """Write the record of a job that was measured, and that of its data."""
    for one in (DATA, job):
        entities = {name: FileEntity(sha256="0" * 64, bytes=5) for name in one.files}
        write(made, one, entities, seconds=seconds, device=device, **(more if one == job else {}))


def write(
    made: Planner, job: Job, entities: dict[str, FileEntity], *, device: str = "cpu", **more: Any
) -> None:
    activity = Activity(
        plan=made.assess(job).plan,
        sources={},
        seed=0,
        threads=1,
        determinism={},
        started="2026-01-01T00:00:00+00:00",
        ended="2026-01-01T00:00:01+00:00",
        peak_memory_bytes=700,
        peak_gpu_memory_bytes=None,
        **more,
    )
    agent = Agent(
        host=socket.gethostname(),
        machine="",
        python="",
        libraries={},
        packages="0" * 64,
        device={"device": device},
        git=None,
        slurm=None,
    )
    write_record(made.run_folder, Record(entities=entities, activity=activity, agent=agent))


def cost(made: Planner, job: Job = TRAIN) -> JobCost:
    return estimate(made, [job], 1).jobs[job]


def test_a_job_that_was_never_measured_is_unknown(tmp_path: Path):
    made = planner(tmp_path, "new")
    record(planner(tmp_path, "old"), EVALUATE, 3.0)
    guess = estimate(made, [TRAIN, EVALUATE], 2)
    assert guess.jobs[TRAIN].seconds is None
    assert guess.unknown == 1


def test_time_is_start_up_and_the_measured_steps_times_the_planned_ones(tmp_path: Path):
    # 100 steps of half a second, and 5 seconds besides.
    record(planner(tmp_path, "old", iterations=100), TRAIN, 55.0, steps=100, seconds_per_step=0.5)
    assert cost(planner(tmp_path, "new", iterations=1000)).seconds == (505.0, 505.0)
    assert cost(planner(tmp_path, "new", iterations=1000)).single


def test_several_measurements_give_a_range_and_sums_are_of_its_ends(tmp_path: Path):
    old = planner(tmp_path, "old", iterations=10)
    for job, rate in ((TRAIN, 1.0), (OTHER_SEED, 3.0)):
        record(old, job, 10 * rate, steps=10, seconds_per_step=rate)
    made = planner(tmp_path, "new", iterations=3600)
    guess = estimate(made, [TRAIN, OTHER_SEED], 2)
    assert guess.jobs[TRAIN].seconds == (3600.0, 3 * 3600.0)
    assert guess.cpu_hours == (2.0, 6.0)
    assert guess.gpu_hours == (0.0, 0.0)
    assert guess.wall_seconds == (3600.0, 3 * 3600.0)
    assert estimate(made, [TRAIN, OTHER_SEED], 1).wall_seconds == (7200.0, 6 * 3600.0)
    own = estimate(planner(tmp_path, "old", iterations=10), [TRAIN], 1).jobs[TRAIN]
    assert own.seconds == (10.0, 10.0)  # its own last run


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({"outer_lr": 0.5}, True),
        ({"log_every": 7}, True),
        ({"filters": 8}, False),
        ({"query": 3}, False),
        ({"precision": "bfloat16"}, False),
    ],
)
def test_only_jobs_of_the_same_shape_are_compared(tmp_path: Path, changes: dict, known: bool):
    record(planner(tmp_path, "old"), TRAIN, 9.0)
    assert (cost(planner(tmp_path, "new", **changes)).seconds is not None) == known


def test_a_time_of_another_device_or_of_a_part_of_a_job_is_not_used(tmp_path: Path):
    record(planner(tmp_path, "gpu"), TRAIN, 9.0, device="cuda")
    record(planner(tmp_path, "resumed"), TRAIN, 9.0, resumed_from=[4])
    assert cost(planner(tmp_path, "new")).seconds is None


def test_a_resumed_training_counts_with_the_rate_of_its_last_attempt(tmp_path: Path):
    old = planner(tmp_path, "old", iterations=100)
    record(old, TRAIN, 12.0, steps=100, seconds_per_step=0.5, resumed_from=[80])
    assert cost(planner(tmp_path, "new", iterations=100)).seconds == (52.0, 52.0)


@pytest.mark.parametrize(
    ("header", "left"),
    [
        ({}, 0.4),
        ({"fingerprint": "other"}, 1.0),
        ({"steps": None}, 1.0),
        ({"step": "600"}, 1.0),
        ({"step": 1001}, 1.0),
        (None, 1.0),
    ],
)
def test_steps_that_a_checkpoint_has_are_done(tmp_path: Path, header: dict | None, left: float):
    record(planner(tmp_path, "old", iterations=1000), TRAIN, 100.0)
    made = planner(tmp_path, "new", iterations=1000)
    for job in made.graph.ancestry(TRAIN)[:-1]:
        finish(tmp_path, job)
    made = planner(tmp_path, "new", iterations=1000)
    plan = made.assess(TRAIN).plan
    folder = made.run_folder / "work" / TRAIN.name / "checkpoints"
    folder.mkdir(parents=True)
    facts = {"fingerprint": plan.fingerprint, "sha256": "", "step": 600, "steps": 1000}
    line = b"\xff{" if header is None else json.dumps({**facts, **header}).encode()
    (folder / "step-000000600.ckpt").write_bytes(line + b"\nstate")
    found = cost(made)
    assert found.seconds is not None
    assert found.seconds.low == pytest.approx(100.0 * left)
    assert (found.step, found.steps) == ((600, 1000) if left < 1 else (0, 0))


def finish(results: Path, job: Job) -> None:
    """Give a job results and a record that fit its plan."""
    made = planner(results, "new", iterations=1000)
    for name in job.files:
        (made.run_folder / name).parent.mkdir(parents=True, exist_ok=True)
        (made.run_folder / name).write_text(name)
    digests = {name: file_hash(made.run_folder / name) for name in job.files}
    sizes = {name: (made.run_folder / name).stat().st_size for name in job.files}
    entities = {name: FileEntity(sha256=digests[name], bytes=sizes[name]) for name in job.files}
    write(made, job, entities, seconds=1.0)


def test_short_measurements_count_and_a_damaged_file_of_them_is_empty(tmp_path: Path):
    made = planner(tmp_path, "new", iterations=10)
    kind = job_kind(made, TRAIN)
    add_short_ones(tmp_path, [Measured(kind, socket.gethostname(), "cpu", 0.0, 9.0, 9.0)])
    add_short_ones(tmp_path, [Measured(kind, socket.gethostname(), "cpu", 0.0, 2.0, 3.0)])
    assert cost(made).seconds == (20.0, 30.0)
    assert not cost(made).single
    saved = (tmp_path / MEASURED_FILE).read_text()
    lies = [saved.replace("3.0", one) for one in ('"fast"', "1e999", "NaN", "1.0", "[3.0]")]
    for content in ("{", "[1]", '[{"kind": 1}]', "\x00", "[" * 100_000, *lies):
        (tmp_path / MEASURED_FILE).write_text(content)
        assert cost(made).seconds is None


def cactus(monkeypatch, capsys, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["cactus", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out + captured.err


def test_the_plan_of_a_study_that_never_ran_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text(
        "run: mine\ngrid: {datasets: [mnist], embeddings: [acai], controls: {mnist: []}}\n"
    )
    more = ["--config", "grid={learners: [protonets]}"]
    code, output = cactus(monkeypatch, capsys, "plan", "--configfile", "study.yaml", *more)
    assert code == 0
    assert "1 meta_train, " in output
    assert "time unknown" in output
    assert "0.00" not in output
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "two", "", "²", "1e3"])
def test_the_number_of_jobs_at_once_is_a_whole_one(monkeypatch, capsys, number):
    code, output = cactus(monkeypatch, capsys, "plan", "--at-once", number)
    assert code == 2
    assert f"{number!r} is not a whole number of at least 1" in output


@pytest.mark.parametrize("number", ["0", "-1", "nan", "inf", "soon"])
@pytest.mark.parametrize("option", ["--patience", "--poll"])
def test_times_of_the_supervisor_are_above_zero(monkeypatch, capsys, option, number):
    code, output = cactus(monkeypatch, capsys, "run", option, number)
    assert (code, f"{number!r} is not a number of seconds" in output) == (2, True)


def test_a_short_measurement_times_each_kind_of_training_once(tmp_path: Path):
    made = planner(tmp_path, "new", filters=2, shot=1, query=1, iterations=7)
    jobs = [TRAIN, OTHER_SEED, EVALUATE]
    ((job, found),) = measure(made, jobs)
    assert (job, found.kind, found.device) == (TRAIN, job_kind(made, TRAIN), "cpu")
    assert 0 < found.rate <= found.highest_rate
    add_short_ones(tmp_path, [found])
    guess = estimate(made, jobs, 1)
    assert guess.jobs[OTHER_SEED].seconds == (7 * found.rate, 7 * found.highest_rate)
    assert guess.jobs[EVALUATE].seconds is None


def test_a_training_of_no_steps_is_not_timed(tmp_path: Path):
    assert list(measure(planner(tmp_path, "new", iterations=0), [TRAIN])) == []


def test_times_that_cannot_be_saved_still_count(tmp_path, monkeypatch, capsys):
    (tmp_path / "results" / MEASURED_FILE).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text("grid: {datasets: [mnist], embeddings: [acai]}\n")

    def timed(made: Planner, jobs: list[Job]) -> list[tuple[Job, Measured]]:
        job = next(one for one in jobs if one.stage == "meta_train")
        return [
            (job, Measured(job_kind(made, job), socket.gethostname(), "cpu", 0.0, 0.001, 0.001))
        ]

    monkeypatch.setattr("cactus.cli.study.measure.measure", timed)
    options = ("--configfile", "study.yaml", "--measure", "--config", "compute={device: cpu}")
    code, output = cactus(monkeypatch, capsys, "plan", *options)
    assert code == 0, output
    assert "note: the times are not kept for later plans: " in output
    assert "30.0 s + 1 unknown" in output


def test_times_before_an_interruption_are_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text("grid: {datasets: [mnist], embeddings: [acai]}\n")

    def timed(made: Planner, _: list[Job]) -> Iterator[tuple[Job, Measured]]:
        yield made.graph.jobs[0], Measured("a kind", "here", "cpu", 0.0, 1.0, 2.0)
        raise SystemExit(130)

    monkeypatch.setattr("cactus.cli.study.measure.measure", timed)
    options = ("--configfile", "study.yaml", "--measure")
    assert cactus(monkeypatch, capsys, "plan", *options)[0] == 130
    assert "a kind" in (tmp_path / "results" / MEASURED_FILE).read_text()


def test_a_step_is_timed_by_the_clock():
    low, high = seconds_per_step(lambda: time.sleep(0.01), torch.device("cpu"))
    assert 0.01 <= low <= high


@pytest.mark.parametrize(
    ("dataset", "count"), [("mnist", 50_000), ("omniglot", 22_000), ("celeba", 162_770)]
)
def test_the_official_numbers_of_training_images_stand_in_for_unprepared_data(
    tmp_path: Path, dataset: str, count: int
):
    made = planner(tmp_path, "new")
    assert training_images(made, dataset) == count
    manifest = tmp_path / "new/data" / dataset / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"splits": {"train": {"images": {"shape": [12, 28, 28, 1]}}}}')
    assert training_images(made, dataset) == 12
