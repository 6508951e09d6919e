"""Hashes of the project's own data files, or of entries of them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from cactus.data.files.registry import load_yaml
from cactus.errors import CodeError
from cactus.files import read_text
from cactus.provenance.fingerprint.hash_cache import HashCache

_ENTRY = ": "


def project_file_hash(
    root: Path, name: str, cache: HashCache, contents: dict[str, dict[str, Any]]
) -> str:
    """Return the sha256 of a data file of the project, or of an entry of one.

    Parameters
    ----------
    root
        The project's folder.
    name
        Of a file below it, such as ``config/a.csv``, or of an entry of a YAML file, such as
        ``config/a.yaml: mnist``.
    cache
        Cache of file hashes.
    contents
        The YAML files that were read already, by name; this call adds to it.

    Raises
    ------
    CodeError
        The file is missing or damaged, or has no such entry.
    """
    file, _, key = name.partition(_ENTRY)
    try:
        if not key:
            return cache.sha256(root / file)
        if file not in contents:
            contents[file] = load_yaml(read_text(root / file))
        entry = json.dumps(contents[file][key], sort_keys=True, default=str)
    except (OSError, ValueError, LookupError, TypeError, RecursionError, yaml.YAMLError) as error:
        raise CodeError(
            "A data file of the project that a stage reads is missing or damaged.",
            where=str(root / name),
            got=f"{type(error).__name__}: {' '.join(str(error).split())}"[:300],
            fix="restore it from the repository, or correct `data_files` of the stage",
        ) from error
    return hashlib.sha256(entry.encode()).hexdigest()
