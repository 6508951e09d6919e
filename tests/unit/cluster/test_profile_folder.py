"""What `cactus profile` writes is what `--profile slurm` reads, however the clone was copied."""

import shutil
from pathlib import Path

import pytest

from cactus.cluster.profile import PROFILE, ProfileValue, profile_files, write_profile
from cactus.errors import ClusterError


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace(b'account: ""', b"account: >-\n    lab\n    two"),
        lambda text: text.replace(b"# Quality", b"# Qualit\xe9"),
        lambda text: text + b"\n  - [",
        lambda text: text.replace(b'  account: ""', b'# account: ""'),
        lambda text: text[:0],
    ],
)
def test_a_profile_edited_by_hand_is_filled_in_right_or_left_alone(tmp_path: Path, edit):
    file, values = tmp_path / "config.yaml", {"account": ProfileValue("mine", "as requested")}
    file.write_bytes(PROFILE.read_bytes().replace(b"\n", b"\r\n"))
    write_profile(file, values)
    assert b'  account: "mine"' in file.read_bytes()
    file.write_bytes(edited := edit(PROFILE.read_bytes()))
    with pytest.raises(ClusterError) as refused:
        write_profile(file, values)
    assert "git checkout config/profiles/slurm" in refused.value.fix
    assert file.read_bytes() == edited


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
