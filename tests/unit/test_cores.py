"""Cores and memory are those that a container or a batch job leaves to this process."""

import os

import pytest

from cactus.cluster.start import core_warnings
from cactus.cores import usable_cores, usable_memory

PINNED = len(os.sched_getaffinity(0))
MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def groups(folder, own, files):
    """Write control groups; return the arguments for the functions under test."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text + "\n")
    (folder / "own").write_text(own + "\n")
    return folder, folder / "own"


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/", {}, PINNED),
        ("0::/", {"cpu.max": "max 100000"}, PINNED),
        ("0::/", {"cpu.max": "100000 100000"}, 1),
        ("0::/", {"cpu.max": "50000 100000"}, 1),  # half a core is still one to use
        ("0::/", {"cpu.max": f"{PINNED * 9}00000 100000"}, PINNED),
        ("0::/user/job", {"user/cpu.max": "100000 100000", "user/job/cpu.max": "max 100000"}, 1),
        ("0::/gone/in/container", {"cpu.max": "100000 100000"}, 1),
        ("0::/", {"cpu.max": "nonsense"}, PINNED),
        ("2:cpu,cpuacct:/", {"cpu,cpuacct/cpu.cfs_quota_us": "-1"}, PINNED),
        (
            "3:memory:/\n2:cpu,cpuacct:/job",
            {
                "cpu,cpuacct/job/cpu.cfs_quota_us": "150000",
                "cpu,cpuacct/job/cpu.cfs_period_us": "100000",
            },
            1,
        ),
        ("2:cpu:/", {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
    ],
)
def test_cores_are_bounded_by_quotas(tmp_path, own, files, cores):
    assert usable_cores(*groups(tmp_path, own, files)) == cores


def test_cores_are_bounded_by_affinity():
    everywhere = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(everywhere)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, everywhere)


@pytest.mark.parametrize(
    ("own", "files", "memory"),
    [
        ("0::/", {}, MACHINE),
        ("0::/a/b", {"a/memory.max": "1000000", "a/b/memory.max": "max"}, 1_000_000),
        ("4:memory:/", {"memory/memory.limit_in_bytes": "2000000"}, 2_000_000),
        ("4:memory:/", {"memory/memory.limit_in_bytes": str(2**63 - 4096)}, MACHINE),
    ],
)
def test_memory_is_bounded_by_limits(tmp_path, own, files, memory):
    assert usable_memory(*groups(tmp_path, own, files)) == memory


@pytest.mark.parametrize(
    ("usable", "cores", "threads", "told"),
    [
        (2, 2, 2, []),
        (4, 2, 1, []),
        (2, 64, 2, ["--cores is 64, but this process may use 2"]),
        (8, 2, 4, ["compute.threads is 4, but a job may use 2 cores"]),
        (1, 2, 2, ["--cores is 2", "compute.threads is 2, but a job may use 1 core"]),
    ],
)
def test_more_cores_or_threads_than_there_are_is_a_warning(usable, cores, threads, told):
    lines = list(core_warnings(usable, cores, threads))
    assert len(lines) == len(told)
    assert all(start in line for start, line in zip(told, lines, strict=True))
