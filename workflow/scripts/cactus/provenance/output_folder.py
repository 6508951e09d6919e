"""Folders that are written from a run: beside it, and whole or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cactus.errors import RecordError


def check_output(what: str, output: Path, run_folder: Path, *, replaced: bool = False) -> None:
    """Check that a crate or digest may be written to a path.

    Parameters
    ----------
    what
        What is written, e.g. "crate".
    replaced
        Whether an earlier one is there, which the new one replaces.

    Raises
    ------
    RecordError
        Something else is there, or the path is in the run's own folder.
    """
    taken = any(output.iterdir()) if output.is_dir() else output.exists()
    inside = output.resolve().is_relative_to(run_folder.resolve())
    if inside or (taken and not replaced):
        raise RecordError(
            f"The {what} cannot be written there.",
            where=str(output),
            got="a path inside the run's own folder" if inside else "an existing file or folder",
            fix="choose another --output, or remove what is there",
        )


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that replaces the one at `path` if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as parent:
        whole = Path(parent, "new")
        whole.mkdir()
        yield whole
        if path.is_dir():
            path.rename(Path(parent, "old"))
        whole.rename(path)
