"""Slurm's commands are run, and their answers read, as if the user had set nothing for them."""

import os
from pathlib import Path
from unittest import mock

import pytest

from cactus.cluster.clients import run_slurm
from cactus.cluster.slurm import accounts, any_queued, is_limit, partitions, queue, unavailable
from cactus.errors import ClusterError


@pytest.mark.parametrize(
    "name",
    [
        *("SQUEUE_PARTITION", "SQUEUE_STATES", "SQUEUE_USERS", "SQUEUE_FORMAT", "SQUEUE_SORT"),
        *("SINFO_PARTITION", "SINFO_FORMAT", "SACCT_FORMAT", "SALLOC_PARTITION", "SCANCEL_STATE"),
        *("SBATCH_PARTITION", "SBATCH_CLUSTERS", "SBATCH_ARRAY_INX", "SRUN_CPUS_PER_TASK"),
        *("SLURM_TIME_FORMAT", "SLURM_CLUSTERS", "SLURM_BITSTR_LEN", "SLURM_JOB_ID"),
    ],
)
def test_defaults_of_a_user_do_not_reach_slurms_commands(name: str, monkeypatch):
    monkeypatch.setenv(name, "changed")
    assert f"{name}=changed" not in run_slurm("env").splitlines()
    assert os.environ[name] == "changed"


@pytest.mark.parametrize("name", ["SLURM_CONF", "SLURM_JWT", "SBATCH_ACCOUNT", "HOME_OF_SLURM"])
def test_what_leads_to_the_cluster_and_the_account_does(name: str, monkeypatch):
    monkeypatch.setenv(name, "kept")
    assert f"{name}=kept" in run_slurm("env").splitlines()


def test_a_lost_configuration_names_the_variable(tmp_path: Path, monkeypatch):
    program = tmp_path / "squeue"
    program.write_text(
        "#!/bin/sh\necho 'fatal: Could not establish a configuration source' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("SLURM_CONF", "/lost/slurm.conf")
    with pytest.raises(ClusterError) as refused:
        queue(["cactus_x"])
    assert "SLURM_CONF is /lost/slurm.conf" in refused.value.fix


def answered(text: str):
    return mock.patch("cactus.cluster.slurm.run_slurm", return_value=text)


@pytest.mark.parametrize("gres", ["(null)", "gpu", "gpu:a100", "gpu:h100:2,gpu:h100_1g.10gb:7"])
@pytest.mark.parametrize("head", ["", "CLUSTER: alpha\n", "CLUSTER: alpha\n\nCLUSTER: beta\n"])
def test_lines_that_name_a_cluster_are_skipped(head: str, gres: str):
    with answered(f"{head}cpu*|up|{gres}|1-00:00:00|64000\n"):
        (found,) = partitions()
    assert (found.name, found.default, found.memory) == ("cpu", True, 64000)
    with answered(f"{head}12|cactus_x|RUNNING|None|gpu|rule_x|y\n"):
        (job,) = queue(["cactus_x"])
    assert (job.id, job.comment, job.alive) == ("12", "rule_x|y", True)


@pytest.mark.parametrize(
    ("state", "alive"),
    [
        *(("PENDING", True), ("RUNNING", True), ("COMPLETING", True), ("REQUEUE_HOLD", True)),
        *(("RESV_DEL_HOLD", True), ("OF_A_LATER_VERSION", True), ("COMPLETED", False)),
        *(("CANCELLED", False), ("TIMEOUT", False), ("PREEMPTED", False), ("NODE_FAIL", False)),
    ],
)
def test_a_job_ends_only_in_states_that_are_known_to_end_it(state: str, alive: bool):
    with answered(f"12|cactus_x|{state}|None|gpu|rule_x\n"):
        (job,) = queue(["cactus_x"])
    assert job.alive == alive


def test_a_command_that_cannot_start_is_no_answer(tmp_path: Path, monkeypatch):
    (tmp_path / "squeue").mkdir()
    (tmp_path / "squeue/squeue").write_text("no program\n")
    (tmp_path / "squeue/squeue").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "squeue"))
    with pytest.raises(ClusterError, match="Slurm") as refused:
        queue(["cactus_x"])
    assert "Exec format error" in refused.value.got


def test_any_other_line_is_reported_and_not_skipped():
    text = "12|cactus_x|RUNNING|None|gpu|rule_x\nslow today\n"
    with answered(text), pytest.raises(ClusterError) as refused:
        queue(["cactus_x"])
    assert "'slow today', which does not have 6 columns" in refused.value.got


@pytest.mark.parametrize(
    ("columns", "memory"),
    [
        *((["1"], 0), (["1", "64000"], 64000), (["64000+"], 64000), (["1+"], 0), (["N/A"], 0)),
        *((["500G+"], 512000), (["1.5T"], 1572864), ([" 64000M "], 64000)),
    ],
)
def test_the_memory_of_nodes_that_declare_none_is_unknown(columns: list[str], memory: int):
    with answered("".join(f"cpu*|up|(null)|infinite|{one}\n" for one in columns)):
        (found,) = partitions()
    assert found.memory == memory


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [
        *(("infinite", None), ("UNLIMITED", None), ("INVALID", None), ("Partition_Limit", None)),
        *(("1-00:00:00", 1440), ("1-12", 2160), ("2:00:01", 121), ("30:00", 30), ("45", 45)),
    ],
)
def test_a_time_limit_of_any_form_is_read(limit: str, minutes: int | None):
    with answered(f"a|UP|gpu:1|{limit}|1\n"):
        assert [one.max_minutes for one in partitions()] == [minutes]


@pytest.mark.parametrize("row", ["a|up|gpu:1|soon|1", "a|up|gpu:1|1-2-3|1", "a|up|gpu:1|1|lots"])
def test_what_is_no_time_or_memory_is_refused_by_name(row: str):
    with answered(row), pytest.raises(ClusterError, match="cannot be read"):
        partitions()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["gpu|up|n1|idle|none", "gpu|up|n2|mixed-|none", "gpu|up|n3|idle~|none"], []),
        (["gpu|up|n1|drained|bad disk", "gpu|up|n2|idle|none"], ["node n1 is drained (bad disk)"]),
        (["cpu*|up|n1|down|dead"], []),
        (["gpu|UP|n1|IDLE|none", "gpu|up|n2|mix|", "gpu|up|n3|mixed+cloud+planned|none"], []),
        (["gpu|up|n1|idle+drain|x"], ["node n1 is idle+drain (x)"]),
        (["gpu|up|n1|idle*|none"], ["node n1 is idle and does not respond"]),
        (["gpu|down|n1|idle|none", "gpu|down|n2|idle|none"], ["partition gpu is down"]),
        (["gpu|up|n1|drained$|a|b"], ["node n1 is drained$ (a|b)"]),
    ],
)
def test_what_keeps_a_partition_from_starting_jobs_is_named(rows: list[str], expected: list[str]):
    with answered("\n".join(rows)):
        assert unavailable("gpu") == expected


def test_the_default_partition_is_the_marked_one():
    with answered("gpu|up|n1|down|x\ncpu*|up|n2|drained|y\n"):
        assert unavailable("") == ["node n2 is drained (y)"]


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        (
            "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
            True,
        ),
        ("sbatch: error: QOSMaxSubmitJobPerUserLimit", True),
        ("sbatch: error: AssocMaxSubmitJobLimit", True),
        ("sbatch: error: AssocGrpSubmitJobsLimit", True),
        ("Slurm temporarily unable to accept job, sleeping and retrying", True),
        ("Requested node configuration is not available", False),
        ("Invalid account or account/partition combination specified", False),
    ],
)
def test_a_limit_of_jobs_in_the_queue_is_told_from_other_refusals(text: str, passes: bool):
    assert is_limit(text) is passes


def test_a_queue_that_is_empty_is_seen_as_such():
    with answered("\n"):
        assert not any_queued()
        assert accounts("you") == []
