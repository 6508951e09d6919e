"""Names of data sets, sources and methods: what they mean, and their order in tables and figures.

Their printed names are in `cactus.config.printed.titles`.
"""

import re
from collections.abc import Collection
from typing import Final

from cactus.config.sections.base import BUILT_IN
from cactus.config.sections.names import EMBEDDINGS, METHODS
from cactus.config.sections.source import Source
from cactus.errors import DataError

SYNTHETIC_NOTE: Final = "synthetic data, not the real data set"
SPLIT_NOTE: Final = "validation split, not the test split"
# An "ablation" is a variant of an embedding.
_KINDS: Final = ("scratch", "kmeans", "random", "pixels", "hyperplanes", "ablation", "labels")


def method_name(source: str, learner: str) -> str:
    """Return the name of the method that trains a meta-learner on tasks from `source`.

    It is ``cactus-<learner>`` for partitions of any kind, ``oracle-<learner>`` for true labels,
    and ``scratch`` without meta-training.
    """
    if source == "scratch":
        return "scratch"
    return f"{'oracle' if source == 'labels' else 'cactus'}-{learner}"


def is_oracle(method: str) -> bool:
    """Return whether a method uses true labels in meta-training."""
    return method.startswith("oracle-")


def is_embedding(source: str) -> bool:
    """Return whether a source is an embedding, not a control or an ablation of one."""
    parsed = Source.parse(source)
    return parsed.kind == "kmeans" and source == parsed.base


def base_source(source: str) -> str:
    """Return the source that a variant, or an ablation of an embedding, departs from.

    It is the embedding, or the name of a control without variant and way; others are their own.
    """
    return Source.parse(source).origin


def row_source(source: str) -> str:
    """Return the source whose row in a table has the numbers of a source.

    The original trains random assignment with each setting's way, so that its models of one way
    fill the row of ``random``. Models of one way on any other source have a row of their own.
    """
    parsed = Source.parse(source)
    return parsed.without_way if parsed.kind == "random" else source


def published_source(dataset: str, source: str) -> str:
    """Return the name under which the paper's numbers have a source of tasks.

    That of random assignment says with which way the original trained it. Other names do not: the
    original has one way for all settings of a data set, the default here.
    """
    if dataset not in BUILT_IN:
        return source
    parsed, original = Source.parse(source), BUILT_IN[dataset].way
    if parsed.kind == "random":
        return f"{parsed.without_way}+{parsed.way or original}-way"
    return parsed.without_way if parsed.way == original else source


def dataset_rank(dataset: str) -> tuple[int, str]:
    """Return the sort key of a data set; unknown ones follow the known ones by name."""
    return _position(BUILT_IN, dataset), dataset


def source_rank(source: str) -> tuple[int, int, str, list[str | float], int]:
    """Return the sort key of a source: scratch, embeddings, controls, ablations, labels.

    A source comes before its variants, which are in the order of the numbers in their names, and
    before those that are trained on tasks of one way.
    """
    parsed = Source.parse(source)
    embedding, variant = parsed.embedding or "", parsed.variant or ""
    kind = "ablation" if parsed.kind == "kmeans" and variant else parsed.kind
    parts = re.split(r"(\d+(?:\.\d+)?)", variant)
    return (
        _position(_KINDS, kind),
        _position(EMBEDDINGS, embedding),
        embedding,
        [float(part) if index % 2 else part for index, part in enumerate(parts)],
        parsed.way or 0,
    )


def method_rank(method: str) -> tuple[float, str]:
    """Return the sort key of a method.

    Those of custom learners follow those of the paper's two, ``cactus`` and ``oracle`` apart.
    """
    kind = method.partition("-")[0]
    alike = [index for index, known in enumerate(METHODS) if known.startswith(f"{kind}-")]
    custom = alike[-1] + 0.5 if alike else len(METHODS)
    return (list(METHODS).index(method) if method in METHODS else custom), method


def _position(names: Collection[str], name: str) -> int:
    return list(names).index(name) if name in names else len(names)


def setting_title(way: int, shot: int) -> str:
    """Return the printed name of an evaluation setting."""
    return f"{way}-way {shot}-shot"


def parse_cell(cell: str) -> dict[str, str]:
    """Return the parts of the name of a cell's folder in the run folder.

    Parameters
    ----------
    cell
        ``evaluations/<dataset>/<source>/<learner>/s<seed>`` or
        ``baselines/<dataset>/<embedding>/s<seed>``.

    Returns
    -------
    dict
        Keys ``dataset``, ``source``, ``learner`` (empty for baselines) and ``seed``.

    Raises
    ------
    DataError
        The name does not have this form.
    """
    match cell.split("/"):
        case ["evaluations", dataset, source, learner, seed] if _is_seed(seed):
            pass
        case ["baselines", dataset, source, seed] if _is_seed(seed):
            learner = ""
        case _:
            raise DataError(
                "The folder of a cell has an unexpected name.",
                where="aggregation",
                got=cell,
                fix="name it evaluations/<dataset>/<source>/<learner>/s<seed> or "
                "baselines/<dataset>/<embedding>/s<seed>, in the run folder",
            )
    return {"dataset": dataset, "source": source, "learner": learner, "seed": seed[1:]}


def _is_seed(name: str) -> bool:
    return name.startswith("s") and name[1:].isdigit()
