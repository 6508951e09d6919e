"""How many cores and how much memory this process may use, which a container or a batch job limits.

The Makefile runs this file before anything is installed, so it imports only the standard library.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CGROUPS: Final = Path("/sys/fs/cgroup")
OWN_GROUPS: Final = Path("/proc/self/cgroup")
# A job of the demo needs up to 0.7 GB.
_DEMO_JOB_BYTES: Final = 1 << 30


def usable_cores(cgroups: Path = CGROUPS, own: Path = OWN_GROUPS) -> int:
    """Return how many cores this process may keep busy, at least 1."""
    pinned = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quotas = [limit for folder in _folders(cgroups, own, "cpu") if (limit := _quota(folder))]
    return max(1, int(min([pinned or 1, *quotas])))


def usable_memory(cgroups: Path = CGROUPS, own: Path = OWN_GROUPS) -> int:
    """Return how many bytes of memory this process may use."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for folder in _folders(cgroups, own, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _read(folder / name)
            found += [int(text)] if text.isdigit() else []
    return min(found)


def _folders(cgroups: Path, own: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control group and of those that contain it."""
    for line in _read(own).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:  # version 2
            top = cgroups
        elif controller in controllers.split(","):  # version 1
            top = cgroups / controllers
            top = top if top.is_dir() else cgroups / controller
        else:
            continue
        inner = top / path.strip("/")
        # In a container, the path is often that of the host, and only the top is there.
        yield from (one for one in (inner, *inner.parents) if one.is_relative_to(top))


def _quota(folder: Path) -> float | None:
    """Return the cores that a control group may use; None for no limit."""
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    if not quota:
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    if not (quota.isdigit() and period.isdigit() and int(period)):
        return None
    return int(quota) / int(period)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


if __name__ == "__main__":
    print(max(1, min(usable_cores(), usable_memory() // _DEMO_JOB_BYTES)))
