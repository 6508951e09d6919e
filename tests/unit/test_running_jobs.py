"""How far a running job says it is, from the files that it writes."""

import json

import pytest

from snakemake_logger_plugin_cactus.jobs import RunningJob


def test_progress_is_read_from_the_files_of_a_running_job(tmp_path):
    work, log = tmp_path / "work/meta_train/a/s0", tmp_path / "logs/meta_train/a/s0.log"
    (work / "attempt-1/s0").mkdir(parents=True)
    job = RunningJob("meta_train a/s0", [log], [])
    assert job.progress() == ""
    lease = {"step": 30, "steps": 40, "seconds_per_step": 0.5}
    (work / "lease.json").write_text(json.dumps(lease))
    assert job.progress() == "step 30/40, 2 steps/s, 0:05 left"
    lines = [{"step": 10, "loss": 1.5, "validation_accuracy": 0.25}, {"step": 32, "loss": 0.5}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (work / "attempt-1/s0/metrics.jsonl").write_text(text + '{"step": 33, "lo')
    expected = "step 32/40, 2 steps/s, 0:04 left; loss 0.5 validation_accuracy 0.25"
    assert job.progress() == expected
    (work / "lease.json").write_text('{"step": 30, "st')
    assert job.progress() == ""


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (
            "=== attempt 1, started\nmlp 5-way 1-shot: 800 of 1000 episodes\n",
            "mlp 5-way 1-shot: 800 of 1000 episodes",
        ),
        (
            "=== attempt 1\n5-way 1-shot: 90 episodes\n  30 of 90\n  60 of 90\n",
            "5-way 1-shot: 90 episodes, 60 of 90",
        ),
        ("=== attempt 1\na: step 3/4, 1 steps/s\nslow disk\n", "step 3/4, 1 steps/s"),
        ("=== attempt 1\nknn: done\n=== attempt 2\n", ""),
        ("=== attempt 1\n" + 200 * "x", 120 * "x"),
        ("", ""),
    ],
)
def test_a_job_without_steps_says_what_its_log_says_last(log, told, tmp_path):
    path = tmp_path / "logs/run_baselines/a/s0.log"
    path.parent.mkdir(parents=True)
    path.write_text(log)
    assert RunningJob("run_baselines a/s0", [path], []).progress() == told
