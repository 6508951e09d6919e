"""GPU shards are found, and a request for a whole GPU is refused where jobs should share it."""

import os
from unittest import mock

import pytest

from cactus.cluster.environment import gpus_of_jobs
from cactus.cluster.requests import check_sharing
from cactus.cluster.slurm import partitions
from cactus.errors import ClusterError, ConfigError


@pytest.mark.parametrize(
    ("nodes", "shards"),
    [
        (["gpu:2,shard:8"], 4),
        (["gpu:a100:2(S:0-1),shard:a100:8(S:0-1)"], 4),
        (["gpu:2,shard:8", "gpu:4,shard:8"], 2),  # the fewest, so that no job's part is too small
        (["gpu:a100:1,gpu:h100:1,shard:10"], 5),
        (["gpu:2,shard:8", "gpu:2", "(null)"], 4),
        (["gpu:2"], 0),
        (["(null)"], 0),
    ],
)
def test_shards_of_each_gpu_are_read_from_sinfo(nodes: list[str], shards: int):
    lines = "".join(f"gpu*|up|{gres}|1-00:00:00|24000+\n" for gres in nodes)
    with mock.patch("cactus.cluster.slurm.run_slurm", return_value=lines):
        assert [one.shards for one in partitions()] == [shards]


@pytest.mark.parametrize("whole", ["--gpus=1", "--gpus=a100:1", "--gres=gpu:a100:1"])
def test_a_whole_gpu_is_refused_only_where_several_jobs_should_share_it(whole: str):
    requests = [("prepare_data", ("--mem=5",)), ("meta_train", ("--mem=5", whole))]
    check_sharing(1, requests)
    check_sharing(4, [*requests[:1], ("meta_train", ("--gres=shard:2",))])
    with pytest.raises(ClusterError) as refused:
        check_sharing(4, requests)
    assert refused.value.where == "gpus.jobs_per_gpu"
    assert f"4, and {whole} for rule meta_train" in refused.value.got


def test_the_variable_for_gpus_is_0_or_1_and_an_empty_one_counts_as_unset(monkeypatch):
    monkeypatch.delenv("CACTUS_GPUS", raising=False)
    for given, device, expected in (("", "cpu", 0), ("", "auto", 1), ("1", "cpu", 1)):
        monkeypatch.setenv("CACTUS_GPUS", given)
        assert gpus_of_jobs(device) == expected
        assert os.environ["CACTUS_GPUS"] == str(expected)
    for wrong in ("two", "-1", "2", "yes"):
        monkeypatch.setenv("CACTUS_GPUS", wrong)
        with pytest.raises(ConfigError, match="environment variable"):
            gpus_of_jobs("cpu")
