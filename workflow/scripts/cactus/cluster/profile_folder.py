"""The folder that ``--profile slurm`` reads: a link to the project's profile, if it survived."""

from contextlib import suppress
from pathlib import Path

from cactus.cluster.profile import PROFILE
from cactus.errors import ClusterError


def profile_files(profile: Path = PROFILE) -> list[Path]:
    """Return the files to fill in, so that ``--profile slurm`` reads what was written.

    Copies of a clone may hold a folder instead of the link, with a profile of its own; both are
    returned then. Archives and some file systems turn the link into a text file; it is mended.

    Parameters
    ----------
    profile
        The project's profile, ``config/profiles/slurm/config.yaml`` in the clone.

    Raises
    ------
    ClusterError
        ``slurm`` is something else.
    """
    link = profile.parents[3] / "slurm"
    target = profile.parent.relative_to(link.parent)
    if link.is_dir():
        return [profile] if link.samefile(profile.parent) else [profile, link / "config.yaml"]
    lost = link.is_symlink() or not link.exists()
    if not lost and link.is_file() and link.stat().st_size < 100:
        lost = link.read_text(errors="replace").strip().replace("\\", "/") == target.as_posix()
    if not lost:
        raise ClusterError(
            "The folder of the Slurm profile is something else.",
            where=str(link),
            got="a file" if link.is_file() else "neither a file nor a folder",
            fix=f"remove it and run `ln -s {target} slurm`, or use `--profile {target}`",
        )
    link.unlink(missing_ok=True)
    with suppress(OSError):  # a file system without links: a folder then
        link.symlink_to(target)
        return [profile]
    link.mkdir()
    return [profile, link / "config.yaml"]
