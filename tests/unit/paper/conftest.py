"""Fake runs that several test modules share."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from cactus.paper.aggregate import aggregate
from cactus.paper.partition_quality import aggregate_quality
from tests.unit.paper.fake_run import LONG, SETTINGS, FakeRun

PUBLISHED = Path(__file__).parents[3] / "config" / "paper_results.csv"
SPLITS = dict.fromkeys([*SETTINGS, LONG], "test")


class Run(NamedTuple):
    """A fake run with its table of results."""

    folder: Path
    cells: list[str]

    @property
    def results(self) -> Path:
        """The table of every number."""
        return self.folder / "tables" / "results.csv"

    @property
    def quality(self) -> Path:
        """The table of the partitions' quality."""
        return self.folder / "tables" / "partition_quality.csv"


def make_run(fake: FakeRun, splits: Mapping[str, str] = SPLITS) -> Run:
    """Write a fake run and aggregate it."""
    run = Run(fake.folder, fake.build())
    aggregate(run.folder, run.folder.name, run.cells, splits, PUBLISHED, run.results)
    measured = sorted(path for path in run.folder.glob("quality/*/*/*/*"))
    qualities = [path.relative_to(run.folder).as_posix() for path in measured]
    aggregate_quality(run.folder, run.folder.name, qualities, run.quality)
    return run


@pytest.fixture(scope="session")
def published() -> Path:
    """The repository's file of published results."""
    return PUBLISHED


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One real data set, embedding, learner and seed, no controls."""
    return make_run(FakeRun(tmp_path_factory.mktemp("runs") / "small", synthetic=()))


@pytest.fixture(scope="session")
def seeds_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two data sets, one synthetic; three seeds, all methods and some controls."""
    return make_run(
        FakeRun(
            tmp_path_factory.mktemp("runs") / "seeds_1",
            datasets=("celeba", "omniglot"),
            learners=("protonets", "maml"),
            seeds=(0, 2, 10),
            controls=("labels", "acai+p-1", "pixels"),
            scratch=True,
            synthetic=("celeba",),
        )
    )


@pytest.fixture(scope="session")
def grid_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The full grid with all kinds of controls, one seed, all synthetic data."""
    return make_run(
        FakeRun(
            tmp_path_factory.mktemp("runs") / "grid",
            datasets=tuple(SETTINGS),
            embeddings=("acai", "bigan", "deepcluster", "infogan"),
            learners=("maml", "protonets"),
            controls=("labels", "random", "pixels", "acai+p-1", "hyperplanes-acai"),
            scratch=True,
        )
    )


@pytest.fixture(scope="session")
def many_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Twenty embeddings and a meta-learner with long names, one data set with a long title."""
    return make_run(
        FakeRun(
            tmp_path_factory.mktemp("runs") / "many",
            datasets=("omniglot", LONG),
            embeddings=tuple(f"embedding_with_a_long_name_and_number_{i}" for i in range(20)),
            learners=("maml", "a_learner_with_a_very_long_name"),
            scratch=True,
            synthetic=(),
        )
    )


@pytest.fixture(scope="session")
def one_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One cell, of a data set of one's own in color, which the run calls synthetic."""
    return make_run(
        FakeRun(
            tmp_path_factory.mktemp("runs") / "one",
            datasets=(LONG,),
            learners=("protonets",),
            baselines=False,
            synthetic=(LONG,),
        )
    )


@pytest.fixture(scope="session")
def matrix_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """As many test classes as a matrix of confusion has, some of them with long names."""
    return _classes_run(tmp_path_factory.mktemp("runs") / "matrix", 30)


@pytest.fixture(scope="session")
def pairs_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One test class more, with so many episodes that pairs of classes meet several times."""
    return _classes_run(tmp_path_factory.mktemp("runs") / "pairs", 31)


def _classes_run(folder: Path, classes: int) -> Run:
    fake = FakeRun(folder, learners=("maml", "protonets"), baselines=False, tasks=150)
    return make_run(replace(fake, test_classes=classes))
