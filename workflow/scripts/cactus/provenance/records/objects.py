"""A store of sources and texts that records refer to, each once under the sha256 of its content."""

import hashlib
import json
from pathlib import Path
from typing import Any

from cactus.errors import RecordError
from cactus.files import read_bytes, write_text


def object_path(run_folder: Path, digest: str) -> Path:
    """Return the path of the content with this sha256."""
    return run_folder / "objects" / digest[:2] / digest


def json_hash(content: dict[str, Any]) -> str:
    """Return the sha256 of JSON values in canonical form: sorted keys, no spaces."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def store(run_folder: Path, content: bytes | str) -> str:
    """Store a file's content, or a text as UTF-8, and return its sha256."""
    content = content.encode() if isinstance(content, str) else content
    digest = hashlib.sha256(content).hexdigest()
    try:
        load(run_folder, digest)
    except RecordError:
        write_text(object_path(run_folder, digest), content)
    return digest


def load(run_folder: Path, digest: str) -> bytes:
    """Return stored content.

    Raises
    ------
    RecordError
        It is missing or was changed.
    """
    path = object_path(run_folder, digest)
    try:
        content = read_bytes(path)
        if hashlib.sha256(content).hexdigest() != digest:
            raise ValueError("the sha256 of its content is not its name")
        return content
    except (OSError, ValueError) as error:
        raise RecordError(
            "A stored text cannot be read.",
            where=str(path),
            got=getattr(error, "strerror", None) or str(error),
            fix="restore it from another copy of the run; records refer to it by its sha256",
        ) from error
