"""Folders that are written from a run: beside it, and whole or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cactus.errors import RecordError


def check_output(what: str, output: Path, *, replaced: bool = False) -> None:
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
        Something else is there, a file is in the place of a folder above it, or the path is in the
        folder of a run.
    """
    taken = any(output.iterdir()) if output.is_dir() else output.exists()
    inside = any(map(_is_run, output.resolve().parents)) or _is_run(output)
    if inside or (taken and not replaced):
        raise _refusal(
            what,
            output,
            "a path inside the folder of a run" if inside else "an existing file or folder",
        )
    _check_above(what, output)


def check_output_file(what: str, output: Path, suffix: str) -> None:
    """Check that a file may be written to a path, where an earlier one may be.

    Parameters
    ----------
    what
        What is written, e.g. "report".
    suffix
        That of an earlier one; a file of another kind is not replaced.

    Raises
    ------
    RecordError
        A folder, a device, a pipe or a file of another kind is there, a file is in the place of a
        folder above it, or the path is in the folder of a run, which has only what its jobs made.
    """
    if output.is_dir():
        raise _refusal(what, output, "a folder")
    if any(map(_is_run, output.resolve().parents)):
        raise _refusal(what, output, "a path inside the folder of a run")
    if output.exists() and not (output.is_file() and output.suffix == suffix):
        raise _refusal(what, output, f"what is no earlier {what}")
    _check_above(what, output)


def _check_above(what: str, output: Path) -> None:
    for above in output.absolute().parents:
        if above.exists() and not above.is_dir():
            raise _refusal(what, output, f"{above.name}, which is no folder, above it")


def _refusal(what: str, output: Path, got: str) -> RecordError:
    return RecordError(
        f"The {what} cannot be written there.",
        where=str(output),
        got=got,
        fix="choose another folder, or remove what is there",
    )


def _is_run(folder: Path) -> bool:
    return (folder / "plans").is_dir() and (folder / "records").is_dir()


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
