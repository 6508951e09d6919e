"""Names of data sets, sources and methods: their order and titles in tables and figures."""

from typing import Final

from cactus.errors import DataError

DATASETS: Final = {
    "mnist": "MNIST",
    "omniglot": "Omniglot",
    "miniimagenet": "miniImageNet",
    "celeba": "CelebA",
}
EMBEDDINGS: Final = {
    "acai": "ACAI",
    "bigan": "BiGAN",
    "deepcluster": "DeepCluster",
    "infogan": "InfoGAN",
}
LEARNERS: Final = {"maml": "MAML", "protonets": "ProtoNets"}
METHODS: Final = {
    "scratch": "Training from scratch",
    "knn": "kNN",
    "linear": "Linear classifier",
    "mlp": "MLP with dropout",
    "cluster_matching": "Cluster matching",
    "cactus-maml": "CACTUs-MAML",
    "cactus-protonets": "CACTUs-ProtoNets",
    "oracle-maml": "Oracle-MAML",
    "oracle-protonets": "Oracle-ProtoNets",
}
SCRATCH: Final = "scratch"
LABELS: Final = "labels"
_CONTROLS: Final = {"random": "Random assignment", "pixels": "Pixels"}
_ABLATIONS: Final = {"hyperplanes": "Hyperplanes", "single": "One partition"}


def method_name(source: str, learner: str) -> str:
    """Return the method of a meta-learner trained on tasks from `source`.

    Partitions of any kind give ``cactus-<learner>``, true labels ``oracle-<learner>`` and no
    meta-training ``scratch``.
    """
    if source == SCRATCH:
        return SCRATCH
    return f"{'oracle' if source == LABELS else 'cactus'}-{learner}"


def is_oracle(method: str) -> bool:
    """Tell whether a method saw true labels in meta-training."""
    return method.startswith("oracle-")


def is_embedding(source: str) -> bool:
    """Tell whether a source is an embedding, not a control or an ablation of one."""
    return source not in (SCRATCH, LABELS, *_CONTROLS) and source.split("-")[0] not in _ABLATIONS


def source_rank(source: str) -> tuple[int, int, str]:
    """Return the sort key of a source: scratch, embeddings, controls, ablations, labels."""
    family, _, embedding = source.partition("-")
    if source in (SCRATCH, LABELS):
        return (0 if source == SCRATCH else 4, 0, source)
    if source in _CONTROLS:
        return (2, list(_CONTROLS).index(source), source)
    if family in _ABLATIONS:
        return (3, list(_ABLATIONS).index(family), f"{_position(EMBEDDINGS, embedding)}{embedding}")
    return (1, _position(EMBEDDINGS, source), source)


def dataset_rank(dataset: str) -> tuple[int, str]:
    """Return the sort key of a data set; unknown ones follow the known ones by name."""
    return (_position(DATASETS, dataset), dataset)


def method_rank(method: str) -> tuple[int, str]:
    """Return the sort key of a method; unknown ones follow the known ones by name."""
    return (_position(METHODS, method), method)


def _position(names: dict[str, str], name: str) -> int:
    return list(names).index(name) if name in names else len(names)


def dataset_title(dataset: str) -> str:
    """Return how a data set is called in print."""
    return DATASETS.get(dataset, dataset)


def source_title(source: str) -> str:
    """Return how a source is called in print, e.g. ``Hyperplanes (ACAI)``."""
    family, _, embedding = source.partition("-")
    if family in _ABLATIONS:
        return f"{_ABLATIONS[family]} ({source_title(embedding)})"
    special = {**_CONTROLS, SCRATCH: "None", LABELS: "True labels"}
    return special.get(source) or EMBEDDINGS.get(source, source)


def method_title(method: str, learner: str = "") -> str:
    """Return how a method is called in print; `learner` tells two from-scratch rows apart."""
    if method == SCRATCH and learner:
        return f"{METHODS[SCRATCH]} ({learner_title(learner)})"
    if method in METHODS:
        return METHODS[method]
    family, _, name = method.partition("-")
    families = {"cactus": "CACTUs", "oracle": "Oracle"}
    return f"{families[family]}-{learner_title(name)}" if family in families else method


def learner_title(learner: str) -> str:
    """Return how a meta-learner is called in print."""
    return LEARNERS.get(learner, learner)


def setting_title(way: int, shot: int) -> str:
    """Return how an evaluation setting is called in print."""
    return f"{way}-way {shot}-shot"


def parse_cell(cell: str) -> dict[str, str]:
    """Return the parts of a cell's folder name below the run folder.

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
        The name has another form.
    """
    match cell.strip("/").split("/"):
        case ["evaluations", dataset, source, learner, seed] if _is_seed(seed):
            pass
        case ["baselines", dataset, source, seed] if _is_seed(seed):
            learner = ""
        case _:
            raise DataError(
                "This is not the folder of an evaluation or a baseline.",
                where=cell,
                got=cell,
                fix="name it evaluations/<dataset>/<source>/<learner>/s<seed> or "
                "baselines/<dataset>/<embedding>/s<seed>, below the run folder",
            )
    return {"dataset": dataset, "source": source, "learner": learner, "seed": seed[1:]}


def _is_seed(name: str) -> bool:
    return name.startswith("s") and name[1:].isdigit()
