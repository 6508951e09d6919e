"""What a job read and what it made, against what manifests and its stage say of them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from cactus.data.array_files import read_array
from cactus.errors import CactusError, RecordError
from cactus.files import read_json
from cactus.provenance.execution.running_job import RunningJob

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MAY_BE_EMPTY: Final = ".jsonl"  # the curve of a training without steps


def check_read(job: RunningJob) -> None:
    """Check that the arrays that a job reads are those that the manifests beside them name.

    Raises
    ------
    RecordError
        An array's shape, type or sha256 differs from its manifest.
    """
    for name in job.plan.inputs:
        path = job.run_folder / name
        for entry in _entries(path):
            array = Path(name).with_name(entry["file"]).as_posix()
            if array not in job.plan.inputs:
                continue
            found = {"sha256": job.plan.inputs[array], **_header(job.run_folder / array)}
            _compare(entry, found, job.run_folder / array, path)


def check_made(job: RunningJob) -> None:
    """Check that a job made every file that its stage promises, each of the form of its name.

    Raises
    ------
    RecordError
        A file is missing, empty or not of its form, or differs from its manifest.
    """
    own, names = job.plan.job.folder, job.plan.job.files
    paths = [job.run_folder / one if own is None else job.output / Path(one).name for one in names]
    for path in paths:
        try:
            _check_form(path)
        except (OSError, ValueError, CactusError) as error:
            got = error.got if isinstance(error, CactusError) else str(error)
            raise _broken(path, got) from error
    for path in paths:
        for entry in _entries(path):
            array = path.with_name(entry["file"])
            if not array.is_file():
                raise _broken(array, f"no such file, though {path.name} names it")
            _compare(entry, _header(array), array, path)


def _check_form(path: Path) -> None:
    if not path.is_file():
        raise ValueError("no such file")
    if not path.stat().st_size and path.suffix != _MAY_BE_EMPTY:
        raise ValueError("an empty file")
    if path.suffix in _FORMS:
        _FORMS[path.suffix](path)


def _check_png(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(_PNG)) != _PNG:
            raise ValueError("not a PNG picture")


def _check_lines(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        json.loads(line)


_FORMS: Final[dict[str, Callable[[Path], Any]]] = {
    ".json": read_json,
    ".jsonl": _check_lines,
    ".npy": lambda path: read_array(path, mmap=True),
    ".png": _check_png,
}


def _entries(manifest: Path) -> Iterator[dict[str, Any]]:
    """Yield what a manifest says of each file beside it."""
    waiting = [read_json(manifest)] if manifest.suffix == ".json" and manifest.is_file() else []
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("file"), str) and "shape" in value:
                yield value
            waiting += value.values()


def _header(path: Path) -> dict[str, Any]:
    """Return the shape and the type of an array file."""
    array = read_array(path, mmap=True)
    return {"shape": list(array.shape), "dtype": array.dtype.name}


def _compare(entry: dict[str, Any], found: dict[str, Any], path: Path, manifest: Path) -> None:
    wrong = [key for key, value in found.items() if key in entry and entry[key] != value]
    if wrong:
        got = ", ".join(f"{key} {found[key]}, recorded {entry[key]}" for key in wrong)
        raise _broken(path, f"{got} in {manifest.name}")


def _broken(path: Path, got: str) -> RecordError:
    return RecordError(
        "A file is not what its stage promises.",
        where=str(path),
        got=got,
        fix="if a module of your own makes it, correct that; then run the workflow again, which "
        "makes the file again",
    )
