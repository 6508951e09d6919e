"""Keys of earlier versions, with their names today."""

from typing import Final

_RENAMED: Final = {
    "sample": "synthetic",
    "sample_data": "synthetic_data",
    "baselines.knn.neighbours": "baselines.knn.neighbors",
}


def new_name(path: tuple[str, ...]) -> str | None:
    """Return today's name of an old key; None if no version had it.

    Parameters
    ----------
    path
        The key with the sections above it, and with ``per_dataset`` and a data set, if any.
    """
    parts = list(path)
    if "per_dataset" in parts:
        start = parts.index("per_dataset")
        del parts[start : start + 2]
    return _RENAMED.get(".".join(parts))
