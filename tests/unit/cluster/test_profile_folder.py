"""What `cactus profile` writes is what `--profile slurm` reads, however the clone was copied."""

import shutil
from pathlib import Path

import pytest

from cactus.cluster.profile import profile_files
from cactus.errors import ClusterError


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    file = tmp_path / "config/profiles/slurm/config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("the profile")
    return file


def read(clone: Path) -> str:
    return (clone / "slurm/config.yaml").read_text()


def test_a_link_is_followed(profile: Path, tmp_path: Path):
    (tmp_path / "slurm").symlink_to("config/profiles/slurm")
    assert profile_files(profile) == [profile]


def test_a_copied_folder_is_written_too(profile: Path, tmp_path: Path):
    shutil.copytree(profile.parent, tmp_path / "slurm")
    assert profile_files(profile) == [profile, tmp_path / "slurm/config.yaml"]
    shutil.rmtree(tmp_path / "slurm")
    (tmp_path / "mine").mkdir()
    (tmp_path / "slurm").symlink_to("mine")
    assert profile_files(profile) == [profile, tmp_path / "slurm/config.yaml"]


@pytest.mark.parametrize(
    "text", ["config/profiles/slurm", "config/profiles/slurm\n", "config\\profiles\\slurm", None]
)
def test_a_text_file_or_nothing_becomes_a_link_again(text, profile: Path, tmp_path: Path):
    if text is None:
        (tmp_path / "slurm").symlink_to("gone")
    else:
        (tmp_path / "slurm").write_text(text)
    assert profile_files(profile) == [profile]
    assert read(tmp_path) == "the profile"


def test_anything_else_is_refused(profile: Path, tmp_path: Path):
    (tmp_path / "slurm").write_text("my notes on slurm")
    with pytest.raises(ClusterError) as refused:
        profile_files(profile)
    assert refused.value.where == str(tmp_path / "slurm")
    assert "ln -s config/profiles/slurm slurm" in refused.value.fix
    assert (tmp_path / "slurm").read_text() == "my notes on slurm"
