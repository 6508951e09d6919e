"""Results on a real file system without hard links, exFAT on a loop device."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cactus.errors import StorageError
from cactus.provenance.execution.lease import Lease
from cactus.provenance.execution.storage import check_storage

pytestmark = pytest.mark.cluster
TOOLS = ("mkfs.exfat", "mount.exfat-fuse", "losetup")


@pytest.fixture
def exfat(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() or missing(*TOOLS) or not Path("/dev/loop-control").exists():
        pytest.skip("needs root, loop devices and `make cluster-tools`")
    image, folder = tmp_path / "image", tmp_path / "exfat"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    folder.mkdir()
    subprocess.run(["mkfs.exfat", image], check=True, capture_output=True)
    found = subprocess.run(
        ["losetup", "--find", "--show", image], check=False, capture_output=True, text=True
    )
    if found.returncode:
        pytest.skip(f"this machine has no free loop device: {found.stderr.strip()}")
    device = found.stdout.strip()
    try:
        done = subprocess.run(["mount.exfat-fuse", device, folder], check=False, text=True)
        if not mounted(folder):
            pytest.skip(f"this machine mounts no exFAT (exit code {done.returncode})")
        yield folder
        subprocess.run(["umount", folder], check=True)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


def missing(*tools: str) -> bool:
    return not all(map(shutil.which, tools))


def mounted(folder: Path) -> bool:
    """Wait until the mount, which goes to the background, shows."""
    end = time.monotonic() + 20
    while not folder.is_mount() and time.monotonic() < end:
        time.sleep(0.05)
    return folder.is_mount()


def test_a_run_is_refused_before_its_first_job_and_nothing_is_left(exfat: Path):
    work = exfat / "results/study/work"
    with pytest.raises(StorageError, match="no hard links") as refused:
        check_storage(work.parent)
    assert refused.value.where == str(work)
    assert list(work.iterdir()) == []


def test_a_job_that_starts_there_alone_ends_with_the_folder_and_the_remedy(exfat: Path):
    with (
        pytest.raises(StorageError, match="no hard links") as refused,
        Lease(exfat / "work/job", "job"),
    ):
        pytest.fail("two processes could hold this job")
    assert refused.value.where == str(exfat / "work/job")
    assert "hard links" in refused.value.fix
    assert list((exfat / "work/job").iterdir()) == []
