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
    device = subprocess.run(
        ["losetup", "--find", "--show", image], check=True, capture_output=True, text=True
    ).stdout.strip()
    try:
        subprocess.run(["mount.exfat-fuse", device, folder], check=True, capture_output=True)
        wait_until_mounted(folder)
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        subprocess.run(["losetup", "--detach", device], check=True)


def missing(*tools: str) -> bool:
    return not all(map(shutil.which, tools))


def wait_until_mounted(folder: Path) -> None:
    while not folder.is_mount():
        time.sleep(0.05)


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
