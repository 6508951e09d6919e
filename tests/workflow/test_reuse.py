"""Runs beside each other in one folder of results take over each other's finished jobs."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cactus.files import file_hash
from cactus.provenance.records.record import Record, read_record
from cactus.stages.base import Job
from tests.workflow.conftest import STUDY
from tests.workflow.edits import code, configured
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow
BIGAN = "omniglot/bigan/s0"
VECTORS = f"embeddings/{BIGAN}"
DONE = Job("train_embedding", BIGAN).files[0]
# The stages that name the run in what they print, or check it.
OF_THE_RUN = {
    "aggregate_results", "make_table", "make_figure", "make_document", "audit_run", "make_report",
}  # fmt: skip
SECOND = configured("run=second")


def records(run: Path) -> dict[str, Record]:
    """Return the records of a run by the names of their jobs."""
    found = {}
    for path in (run / "records").rglob("*.json"):
        name = path.relative_to(run / "records").with_suffix("").as_posix()
        record = read_record(run, Job(*name.partition("/")[::2]))
        assert record is not None
        found[name] = record
    return found


def reused(run: Path) -> set[str]:
    return {name for name, record in records(run).items() if record.reused}


def same_bytes(first: Path, second: Path) -> bool:
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(path.name for path in second.iterdir())
    return all(file_hash(first / name) == file_hash(second / name) for name in names)


@pytest.fixture
def second(project: Project) -> Path:
    """Where a second run goes, beside the finished one."""
    folder = project.run.with_name("second")
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def expected_jobs(project: Project) -> set[str]:
    """Return the jobs on which neither ACAI nor the name of the run bears."""
    names = records(project.run)
    return {
        name for name in names if "acai" not in name and name.partition("/")[0] not in OF_THE_RUN
    }


def test_a_plan_and_a_dry_run_say_what_will_be_reused(project: Project):
    plan = project.cactus("plan", "--all", *STUDY)[1]
    dry = [project.run_snakemake("-n", *quiet, config=STUDY) for quiet in (["--quiet"], [])]
    line = f"{len(expected_jobs(project))} jobs: reused from small"
    assert f"\n{line}\n" in plan
    assert all(f"note: {line}\n" in one.stdout + one.stderr for one in dry)
    never = "reused from small  it never finished"
    found = [one.split() for one in plan.splitlines() if never in one]
    assert {words[0] for words in found} == expected_jobs(project)


def test_a_study_with_another_embedding_trains_that_alone(shared: Project):
    first, second = records(shared.run), records(shared.run.with_name("second"))
    assert {name for name in first if not name.startswith("make_figure/")} == second.keys()
    assert {name for name, one in second.items() if one.reused} == expected_jobs(shared)
    assert "meta_train/omniglot/bigan/protonets/s0" in expected_jobs(shared)
    for name in expected_jobs(shared):
        # It links to the records of its own run.
        own = {"reused": [], "links": first[name].links}
        assert second[name].model_copy(update=own) == first[name]
        assert [one.run for one in second[name].reused] == ["small"]


def test_shared_files_are_the_same_and_cannot_be_written(shared: Project):
    run = shared.run.with_name("second")
    for name in expected_jobs(shared):
        for file in records(run)[name].entities:
            assert (run / file).samefile(shared.run / file)
            assert not (run / file).stat().st_mode & 0o222
    own = run / "embeddings/omniglot/acai/s0/train.npy"
    assert own.stat().st_mode & 0o200
    assert not (run / "work").exists() or not [*(run / "work").rglob(".finished")]


def test_a_run_that_took_results_stands_alone(shared: Project, tmp_path: Path):
    """The other run is gone: records, sources and results are all there."""
    alone = shared.copy(tmp_path / "project")
    shutil.rmtree(alone.run)
    count = len(expected_jobs(shared))
    exit_code, audit = alone.cactus("audit", "second")
    assert (exit_code, "all agree" in audit) == (0, True), audit
    assert f"note: reused from small: {count} jobs: " in audit
    assert alone.cactus("status", "second")[0] == 0
    table = ("results/second/tables/omniglot.tex", "--row", "BiGAN ProtoNets", "--col", "5w1s")
    exit_code, trace = alone.cactus("trace", *table)
    assert exit_code == 0, trace
    assert f"train_embedding/{BIGAN}: reused from small, 20" in trace
    assert "every job of the chain is fresh" in trace
    exit_code, exported = alone.cactus("export", "second", "--output", str(tmp_path / "crate.zip"))
    assert exit_code == 0, exported
    cell = "make_partitions/omniglot/bigan/protonets/s0"
    exit_code, replayed = alone.cactus("replay", str(tmp_path / "crate.zip"), cell)
    assert exit_code == 0, replayed
    assert "0 different" in replayed


def test_a_finished_run_is_not_touched_by_one_that_took_its_results(shared: Project):
    assert shared.stale_jobs() == set()
    assert shared.cactus("audit", "small")[0] == 0


def embed(project: Project, config: tuple[str, ...] = SECOND) -> str:
    """Make one embedding of the second run; return the log of its job."""
    run = project.run.with_name("second")
    project.snakemake(f"results/second/{DONE}", "--cores", "2", config=config)
    return (run / f"logs/train_embedding/{BIGAN}.log").read_text()


def test_without_the_key_every_job_runs_and_gives_the_same_bytes(project: Project, second: Path):
    study = configured("run=second", "reuse=false")
    assert "reused" not in project.cactus("plan", *study)[1]
    assert "reused" not in embed(project, study)
    assert reused(second) == set()
    assert same_bytes(second / VECTORS, project.run / VECTORS)
    assert not (second / VECTORS / "train.npy").samefile(project.run / VECTORS / "train.npy")


def append(file: str):
    def apply(project: Project) -> None:
        with (project.run / file).open("ab") as opened:
            opened.write(b" ")

    return apply


def lose_a_source(project: Project) -> None:
    record = records(project.run)[f"train_embedding/{BIGAN}"]
    digest = record.activity.sources["cactus/embed/bigan.py"]
    (project.run / f"objects/{digest[:2]}/{digest}").unlink()


def forge(project: Project) -> None:
    path = project.run / f"records/train_embedding/{BIGAN}.json"
    path.write_text(path.read_text().replace('"threads": 1', '"threads": 2', 1))


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (append(f"{VECTORS}/train.npy"), f"{VECTORS}/train.npy changed since it was made"),
        (lambda one: (one.run / VECTORS / "test.npy").unlink(), "test.npy is missing"),
        (lose_a_source, "is missing"),
        (forge, "its record is damaged"),
    ],
    ids=["changed", "missing", "source", "record"],
)
def test_damaged_results_are_made_again_and_the_reason_is_said(
    project: Project, second: Path, finished: Project, damage, why: str
):
    damage(project)
    plan = project.cactus("plan", *SECOND)[1]
    assert f"train_embedding/{BIGAN}: not reused from small: " in plan
    assert why in plan
    log = embed(project)
    assert "not reused from small: " in log
    assert why in log
    assert reused(second) == {"make_synthetic_data/omniglot", "prepare_data/omniglot"}
    assert same_bytes(second / VECTORS, finished.run / VECTORS)


def test_an_accepted_change_does_not_pass_to_another_run(project: Project, second: Path):
    """The job runs with the changed code; those after it find their inputs unchanged."""
    code("cactus/embed/bigan.py")(project)
    job = f"train_embedding/{BIGAN}"
    accepted = project.cactus("accept", job, "--run", "small", "--reason", "it adds a constant")
    assert accepted[0] == 0, accepted[1]
    assert project.stale_jobs() == set()
    partitions = Job("make_partitions", "omniglot/bigan/protonets/s0").files[0]
    project.snakemake(f"results/second/{partitions}", "--cores", "2", config=SECOND)
    assert reused(second) == {
        "make_synthetic_data/omniglot",
        "prepare_data/omniglot",
        "make_partitions/omniglot/bigan/protonets/s0",
    }
    assert not (second / "accepted.jsonl").exists()


@pytest.mark.usefixtures("second")
def test_what_a_plan_has_counts(project: Project):
    plan = project.cactus("plan", *configured("run=second", "compute={threads: 2}"))[1]
    threaded = [name for name, one in records(project.run).items() if one.activity.threads]
    rest = {*records(project.run)} - {*threaded}
    assert f"train_embedding/{BIGAN}" in threaded
    assert "make_synthetic_data/mnist" in rest
    shared = [name for name in rest if name.partition("/")[0] not in OF_THE_RUN]
    found = [line for line in plan.splitlines() if line.endswith("reused from small")]
    assert len(found) == 1
    assert int(found[0].split()[0]) <= len(shared)


def test_real_data_is_taken_over_if_the_raw_files_are_the_same(project: Project, second: Path):
    shutil.copytree(project.run / "raw/mnist", project.folder / "raw-files/mnist")
    shutil.rmtree(project.run.with_name("real"), ignore_errors=True)

    def prepare(run: str, raw_dir: str) -> str:
        keys = (f"run={run}", "synthetic_data=false", f"data={{raw_dir: {raw_dir}}}")
        target = f"results/{run}/data/mnist/manifest.json"
        project.snakemake(target, "--cores", "1", config=configured(*keys))
        return (project.folder / f"results/{run}/logs/prepare_data/mnist.log").read_text()

    assert "reused" not in prepare("real", "raw-files")
    shutil.copytree(project.folder / "raw-files", project.folder / "copies")
    assert "reused from real" in prepare("second", "copies")
    assert reused(second) == {"prepare_data/mnist"}
    shutil.rmtree(second)
    file = project.folder / "copies/mnist/train-labels-idx1-ubyte.gz"
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()), 1))  # the same images
    log = prepare("second", "copies")
    assert "not reused from real: the raw files are not those that it read" in log
    assert reused(second) == set()


def test_two_runs_at_the_same_time_do_not_disturb_each_other(project: Project, second: Path):
    """Both need what neither has: an embedding of another length, and all before it."""
    third = second.with_name("third")
    shutil.rmtree(third, ignore_errors=True)
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    longer = "embeddings={acai: {iterations: 6}}"
    file = Job("train_embedding", "omniglot/acai/s0").files[0]
    started = [
        subprocess.Popen(
            [*command, f"results/{run}/{file}", *configured(f"run={run}", longer)],
            cwd=project.folder,
            env=project.variables(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for run in ("second", "third")
    ]
    for process in started:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    folder = Path(file).parent
    assert same_bytes(second / folder, third / folder)
    for run in (second, third):
        for record in records(run).values():
            assert all(file_hash(run / name) == one.sha256 for name, one in record.entities.items())


def test_a_fresh_job_that_is_forced_runs(project: Project, second: Path):
    embed(project)
    project.snakemake(
        f"results/second/{DONE}", "--cores", "2", "--forcerun", "train_embedding", config=SECOND
    )
    assert reused(second) == {"make_synthetic_data/omniglot", "prepare_data/omniglot"}
    assert same_bytes(second / VECTORS, project.run / VECTORS)


def test_results_of_another_run_mend_a_damaged_one(project: Project, second: Path):
    embed(project)
    damaged = second / VECTORS / "train.npy"
    damaged.unlink()
    damaged.write_bytes(b"")
    stray = second / VECTORS / "stray.txt"
    stray.touch()
    assert "reused from small" in embed(project)
    assert same_bytes(second / VECTORS, project.run / VECTORS)
    assert not stray.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write read-only files")
def test_neither_run_can_be_changed_by_the_other_name(project: Project, second: Path):
    embed(project)
    for run in (project.run, second):
        with pytest.raises(PermissionError):
            (run / VECTORS / "train.npy").write_bytes(b"")
