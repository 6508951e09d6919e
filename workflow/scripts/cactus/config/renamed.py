"""Keys of earlier versions, with their names today."""

from typing import Final

_RENAMED: Final = {
    "sample": "synthetic",
    "sample_data": "synthetic_data",
    "baselines.knn.neighbours": "baselines.knn.neighbors",
    "learners.maml.kernel": "speed.maml.kernel",
    "learners.maml.cuda_graph": "speed.maml.cuda_graph",
    "learners.maml.tasks_at_once": "speed.maml.tasks_at_once",
    "learners.maml.evaluation_tasks_at_once": "speed.maml.evaluation_tasks_at_once",
    "learners.protonets.evaluation_tasks_at_once": "speed.protonets.evaluation_tasks_at_once",
    "learners.protonets.images_at_once": "speed.protonets.images_at_once",
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
