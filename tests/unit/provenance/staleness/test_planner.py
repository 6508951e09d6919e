"""Plans are written only when they need to be."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pytest

from cactus.config.load import parse_config
from cactus.errors import CodeError, ConfigError
from cactus.files import file_hash
from cactus.provenance.records.plan import read_plan
from cactus.provenance.records.record import Activity, Agent, FileEntity, Record, write_record
from cactus.provenance.staleness.open_run import open_planner
from cactus.stages.base import DataFile, Job

JOB = Job("make_synthetic_data", "mnist")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "results" / "paper"


def write(run: Path, seed: int = 0) -> Path:
    config = parse_config({"synthetic_data": True, "synthetic": {"seed": seed}})
    return open_planner(config, run).write_plan(JOB)


def test_the_plan_of_a_job_without_results_is_kept_while_it_is_valid(run: Path):
    path = write(run)
    first, planned = path.stat(), read_plan(path).planned
    assert planned
    again = write(run).stat()
    assert (again.st_ino, again.st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    write(run, seed=1)
    assert path.stat().st_ino != first.st_ino
    assert read_plan(path).planned > planned


def test_the_plan_of_a_stale_job_with_results_gets_new_content_and_a_new_time(run: Path):
    path = write(run)
    result = run / "raw/mnist/synthetic.json"
    result.parent.mkdir(parents=True)
    result.touch()
    planned = read_plan(path).planned
    write(run)
    assert read_plan(path).planned > planned
    assert path.stat().st_mtime > result.stat().st_mtime


def test_a_damaged_plan_is_replaced(run: Path):
    path = write(run)
    path.write_text("{", encoding="utf-8")
    write(run)
    assert read_plan(path).plan.job == JOB


def finish(run: Path) -> None:
    """Give the job its results and a record that fits its plan."""
    planner = open_planner(parse_config({"synthetic_data": True}), run)
    plan = planner.assess(JOB).plan
    for name in JOB.files:
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text("{}")
    entities = {name: FileEntity(sha256=file_hash(run / name), bytes=2) for name in JOB.files}
    activity = Activity(
        plan=plan,
        sources={},
        seed=None,
        threads=None,
        determinism={},
        started="2026-01-01T00:00:00+00:00",
        ended="2026-01-01T00:00:01+00:00",
        seconds=1.0,
        peak_memory_bytes=1,
        peak_gpu_memory_bytes=None,
    )
    agent = Agent(
        host="",
        machine="",
        python="",
        libraries={},
        packages="0" * 64,
        device=None,
        git=None,
        slurm=None,
    )
    write_record(run, Record(entities=entities, activity=activity, agent=agent))


def test_a_stale_job_alone_may_take_results_of_other_runs_unless_the_key_forbids_it(run: Path):
    assert read_plan(write(run)).reuse
    off = parse_config({"synthetic_data": True, "reuse": False})
    assert not read_plan(open_planner(off, run).write_plan(JOB)).reuse
    finish(run)
    assert not read_plan(write(run)).reuse


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Pago_Pago", "Pacific/Kiritimati"])
def test_a_finished_run_can_be_zipped_and_its_plans_are_older_than_its_results(
    run: Path, zone: str, monkeypatch: pytest.MonkeyPatch
):
    finish(run)
    plan = write(run)
    assert plan.stat().st_mtime < (run / JOB.files[0]).stat().st_mtime
    first = plan.stat()
    write(run)
    assert (plan.stat().st_ino, plan.stat().st_mtime) == (first.st_ino, first.st_mtime)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        with zipfile.ZipFile(run.parent / "run.zip", "w") as archive:
            archive.write(plan)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act for two users")
def test_a_second_user_of_the_group_replaces_plans_of_the_first():
    ann, ben, group = 54321, 54322, 54320
    with tempfile.TemporaryDirectory() as folder:
        shared = Path(folder)
        shutil.chown(shared, ann, group)
        shared.chmod(0o2775)
        assert plan_as(ann, group, shared).st_uid == ann
        again = plan_as(ben, group, shared)
    assert again.st_uid == ben
    assert again.st_mtime > 315_532_800  # 1 January 1980


def plan_as(user: int, group: int, folder: Path) -> os.stat_result:
    """Plan a finished job as a user in a folder of the group, and date the plan as of 1970."""
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "os.umask(0o002)\n"
        "from tests.unit.provenance.staleness.test_planner import finish, write\n"
        "run = Path(sys.argv[1])\n"
        "run.exists() or finish(run)\n"
        "print(write(run))\n"
    )
    command = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]
    done = subprocess.run(
        [*command, sys.executable, "-c", code, str(folder / "run")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = Path(done.stdout.strip()).stat()
    os.utime(done.stdout.strip(), (1.0, 1.0))
    return found


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config/datasets.yaml", b"mnist: 3\n"),
        ("config/datasets.yaml", b"mnist: {title: a}\n"),
        ("config/datasets.yaml", b"- mnist\n"),
        ("envs/requirements.lock", b"\xff\xfe"),
        ("envs/requirements.lock", None),
    ],
)
def test_a_damaged_file_of_the_project_is_one_error(run: Path, file: str, content: bytes | None):
    project = open_planner(parse_config({}), run, run).project
    path = run / file
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        _ = project.registry if "datasets" in file else project.locked
    assert refused.value.where == str(path)


@pytest.mark.parametrize(
    "file",
    [DataFile("config/nosuch.csv"), DataFile("config/datasets.yaml", "nosuch"), DataFile("config")],
)
def test_a_data_file_that_is_missing_is_named(run: Path, file: DataFile):
    project = open_planner(parse_config({}), run).project
    with pytest.raises(CodeError, match="missing or damaged") as refused:
        project._hash(str(file))
    assert file.name in refused.value.where


def test_a_result_of_another_size_is_not_read(run: Path):
    finish(run)
    name = JOB.files[0]
    os.truncate(run / name, 1 << 40)  # all holes; it would take hours
    planner = open_planner(parse_config({"synthetic_data": True}), run)
    planner.assess_all()
    found = {reason for reason in planner.assess(JOB).reasons if reason.kind == "output"}
    assert [(reason.name, reason.new) for reason in found] == [(name, f"{1 << 40} bytes")]
