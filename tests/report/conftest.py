"""The pages that tests look at, and the browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cactus.report.view import MissingCell
from tests.report.browser import Browser, browser
from tests.report.pages import Page, make_page
from tests.unit.paper.fake_run import FakeRun


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Two data sets, one of them synthetic, two seeds, all kinds of methods."""
    fake = FakeRun(
        tmp_path_factory.mktemp("report") / "fake",
        datasets=("celeba", "omniglot"),
        embeddings=("acai", "bigan"),
        learners=("maml", "protonets"),
        seeds=(0, 1),
        controls=("labels", "acai+p-1"),
        scratch=True,
        synthetic=("celeba",),
    )
    return make_page(fake, spec={"seed": 0, "evaluation": {"tasks": 1000}})


@pytest.fixture(scope="session")
def small_page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Something of everything, and not more, because a check of a large page takes long."""
    fake = FakeRun(
        tmp_path_factory.mktemp("report") / "small",
        learners=("maml", "protonets"),
        seeds=(0, 1),
        controls=("labels",),
        scratch=True,
    )
    missing = (MissingCell("omniglot/acai/maml/s2", "failed", "out of memory"),)
    return make_page(fake, spec={"seed": 0, "evaluation": {"tasks": 1000}}, missing=missing)


@pytest.fixture(scope="session")
def opened() -> Iterator[Browser]:
    """A browser that tests share."""
    with browser() as started:
        yield started


@pytest.fixture
def desktop(opened: Browser, page: Page) -> Browser:
    """The page in a wide, light window, as if it was opened for the first time."""
    opened.size(1440, 900)
    opened.open(Path(page.file))
    opened.run("localStorage.clear()")
    opened.open(Path(page.file))
    opened.complaints.clear()
    opened.requests.clear()
    return opened
