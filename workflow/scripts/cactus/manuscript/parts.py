"""The parts of a study: what its paper tells of, and on which data sets."""

from collections import defaultdict
from typing import Final

from cactus.config.models import Config
from cactus.config.printed.titles import Titles
from cactus.config.sections.names import EMBEDDINGS, LEARNERS
from cactus.config.sections.source import Source

ABLATIONS: Final = "ablations"
ORACLE: Final = "oracle"
# A study without one of these, or without it on a data set, leaves out the points whose part it is,
# or whose keys name it.
METHODS: Final = (
    *EMBEDDINGS, *LEARNERS, "scratch", "hyperplanes", "random", "pixels", ORACLE, ABLATIONS,
    "baselines", "knn", "linear", "mlp", "cluster_matching",
)  # fmt: skip


def parts_of(config: Config) -> dict[str, set[str]]:
    """Return the data sets that have each part of a study: data sets, and those of `METHODS`.

    An embedding like a shipped one is no part of its own: points are about the shipped one's keys.
    """
    grid = config.expanded_grid
    found: dict[str, set[str]] = defaultdict(set)
    for dataset, embedding, _ in grid.embedding_runs:
        found[embedding].add(dataset)
    for cell in grid.cells:
        source = Source.parse(cell.source)
        names = [source.kind, cell.learner]
        if source.kind == "scratch":  # whose keys are its own
            names = [source.kind]
        if source.kind == "labels":
            names = [ORACLE, cell.learner, oracle_of(cell.learner)]
        if source.variant or source.kind in ("hyperplanes", "random", "pixels"):
            names.append(ABLATIONS)
        for name in names:
            found[name].add(cell.dataset)
    for dataset in grid.with_baselines:
        for name in ("baselines", *config.baselines.resolve(dataset).methods):
            found[name].add(dataset)
    known = (*METHODS, *map(oracle_of, LEARNERS))
    methods = {name: found[name] for name in known if name in found}
    return {**{name: {name} for name in grid.datasets}, **methods}


def oracle_of(learner: str) -> str:
    """Return the name of the part that is the oracle of one learner."""
    return f"{ORACLE} {learner}"


def cited(config: Config) -> set[str]:
    """Return the data sets and methods that a study uses, also by embeddings like shipped ones."""
    runs = {(dataset, name) for dataset, name, _ in config.expanded_grid.embedding_runs}
    shipped = (config.embeddings.shipped(name, dataset) for dataset, name in runs)
    return {*parts_of(config), *(one[0] for one in shipped if one)}


def own_parts(config: Config, titles: Titles) -> list[str]:
    """Return the printed names of a study's own data sets, embeddings and meta-learners."""
    grid = config.expanded_grid
    runs = dict.fromkeys((name, dataset) for dataset, name, _ in grid.embedding_runs)
    own = [name for name, dataset in runs if config.embeddings.shipped(name, dataset) is None]
    return [
        *(titles.dataset(name) for name in grid.datasets if name in config.data.custom),
        *dict.fromkeys(titles.source(name) for name in own),
        *(titles.learner(name) for name in config.learners.custom if name in _learners(config)),
    ]


def _learners(config: Config) -> set[str]:
    return {one.learner for one in config.expanded_grid.trained_cells}
