"""Generic resources are read in every form in which Slurm prints them."""

import re

import pytest

from cactus.cluster.gres import MODEL, parse_gres, shards_of_each_gpu
from cactus.cluster.profile import ProfileOptions, _gpus, _limits
from cactus.cluster.slurm import Partition
from cactus.errors import ClusterError

WHOLE = "whole GPUs; it also has slices of them (h100_1g.10gb)"
CONS_TRES = {"SelectType": "select/cons_tres"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(null)", []),
        ("", []),
        ("gpu", [("gpu", "", None)]),
        ("gpu:4", [("gpu", "", 4)]),
        ("gres/gpu:a100:2(S:0-1)", [("gpu", "a100", 2)]),
        ("gres:gpu:1g.5gb=7", [("gpu", "1g.5gb", 7)]),
        ("gpu:a100", [("gpu", "a100", None)]),
        ("gpu:a100:8(S:0-1)", [("gpu", "a100", 8)]),
        ("gpu:a100:2(S:0,2),gpu:v100:2(S:1)", [("gpu", "a100", 2), ("gpu", "v100", 2)]),
        ("gpu:(null):3(S:0)", [("gpu", "", 3)]),
        ("gpu:a100-sxm4-80gb:4", [("gpu", "a100-sxm4-80gb", 4)]),
        ("gpu:1080ti:8", [("gpu", "1080ti", 8)]),
        ("gpu:kepler:no_consume:2", [("gpu", "kepler", 2)]),
        ("gpu:h100:2,gpu:h100_1g.10gb:7", [("gpu", "h100", 2), ("gpu", "h100_1g.10gb", 7)]),
        ("bandwidth:lustre:4G,gpu:2", [("bandwidth", "lustre", 4 * 2**30), ("gpu", "", 2)]),
        ("craynetwork:4,shard:a100:32(S:0)", [("craynetwork", "", 4), ("shard", "a100", 32)]),
    ],
)  # fmt: skip
def test_every_form_is_read(text: str, expected: list[tuple]):
    found = parse_gres([text])
    assert [(one.name, one.model, one.number) for one in found] == expected
    assert parse_gres(one.text for one in found) == found


@pytest.mark.parametrize(
    ("model", "is_slice"),
    [("h100_1g.10gb", True), ("1g.5gb", True), ("a100-3g.20gb", True), ("a100_2g_10gb", True),
     ("a100_mig", True), ("h100", False), ("a100-40g", False), ("a100_80gb", False),
     ("migraine", False)],
)  # fmt: skip
def test_slices_of_a_gpu_are_told_from_whole_ones(model: str, is_slice: bool):
    (one,) = parse_gres([f"gpu:{model}:2"])
    assert one.is_slice is is_slice


@pytest.mark.parametrize(
    ("text", "shards"),
    [("gpu:2,shard:8", 4), ("gpu,shard:8", 0), ("gpu:2,shard", 0), ("shard:8", 0), ("gpu:2", 0)],
)
def test_shards_need_counts(text: str, shards: int):
    assert shards_of_each_gpu(parse_gres([text])) == shards


def chosen(gres: str, **options) -> dict:
    partition = Partition("gpu", True, tuple(gres.split(",")), 60, 64000, 0)
    return _gpus(partition, ProfileOptions(**options), CONS_TRES)


@pytest.mark.parametrize(
    ("gres", "model", "why"),
    [
        ("gpu", "", "any model will do"),
        ("gpu:a100:4,gpu:v100:2", "", "any model will do"),
        ("gpu:h100_1g.10gb:7", "", "any, slices of GPUs included (h100_1g.10gb)"),
        ("gpu:2,gpu:1g.10gb:7", "", "any, slices of GPUs included (1g.10gb)"),
        ("gpu:h100:2,gpu:h100_1g.10gb:7", "h100", WHOLE),
        ("gpu:v100:1,gpu:h100:2,gpu:h100_1g.10gb:7", "h100", WHOLE),
    ],
)  # fmt: skip
def test_a_slice_is_not_taken_for_a_whole_gpu(gres: str, model: str, why: str):
    assert chosen(gres)["gpu_model"] == (model, why)
    assert chosen(gres)["gpu_partition"].why == f"has {gres.replace(',', ', ')}"


def test_a_model_that_the_plugin_would_refuse_is_refused():
    with pytest.raises(ClusterError) as refused:
        chosen("gpu:a100-40g:2,gpu:v100:1", gpu_model="a100-40g")
    assert refused.value.what == "Jobs cannot request a GPU of this model."
    assert refused.value.fix == "choose one of v100"
    assert chosen("gpu:a100-40g:2", gpu_model="")["gpu_model"] == ("", "as requested")


@pytest.mark.parametrize("name", ["a100", "a100-40g", "h100_1g.10gb", "a b", "", "ä", "x+me"])
def test_names_of_models_are_those_that_the_plugin_passes_on(name: str):
    from snakemake_executor_plugin_slurm.utils import set_gres_string

    class Job:
        resources = {"gpu": 1, "gpu_model": name}  # noqa: RUF012

    try:
        accepted = f"--gpus={name}:1" in set_gres_string(Job)
    except Exception:
        accepted = False
    assert accepted is bool(re.fullmatch(MODEL, name))


def test_memory_that_no_node_declares_is_left_out_of_the_profile():
    value, why = _limits("cpu", Partition("cpu", True, (), 60, 0, 0))["cpu_memory"]
    assert value == ""
    assert "no node of partition cpu declares its memory (RealMemory in slurm.conf)" in why
