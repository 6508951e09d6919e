"""Texts that records refer to, kept once under the sha256 of their content."""

import hashlib
from pathlib import Path

from cactus.errors import RecordError
from cactus.files import write_text


def object_path(run_folder: Path, digest: str) -> Path:
    """Return where the text with that sha256 is kept."""
    return run_folder / "objects" / digest[:2] / digest


def keep(run_folder: Path, text: str) -> str:
    """Keep a text and return its sha256."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = object_path(run_folder, digest)
    if not path.exists():
        write_text(path, text)
    return digest


def recall(run_folder: Path, digest: str) -> str:
    """Return a kept text.

    Raises
    ------
    RecordError
        It is not there, or is not the text that was kept.
    """
    path = object_path(run_folder, digest)
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise ValueError("its content has another sha256 than its name")
        return content.decode()
    except (OSError, ValueError) as error:
        raise RecordError(
            "A kept text cannot be read.",
            where=str(path),
            got=str(error),
            fix="copy it from another copy of the run; records refer to it by its sha256",
        ) from error
