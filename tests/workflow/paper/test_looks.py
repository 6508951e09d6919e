"""Pages of a paper are full; its tables and figures have captions and places in the text."""

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.workflow.paper.made import text_of
from tests.workflow.project import Project

pytestmark = [pytest.mark.workflow, pytest.mark.latex]
MARGIN = 15 / 297  # at the top, of the height of a page


def test_no_page_is_nearly_empty(with_paper: Project, tmp_path):
    """A page ends early only where the next figure does not fit, or before the checklist."""
    pdf = with_paper.run / "paper.pdf"
    subprocess.run(["pdftoppm", "-r", "20", "-gray", str(pdf), str(tmp_path / "page")], check=True)
    images = [np.asarray(Image.open(path)) for path in sorted(tmp_path.iterdir())]
    figures = heights_of_first_figures(pdf)
    before = checklist_page(pdf) - 1
    filled = 0
    for number, image in enumerate(images[:-1]):
        body = image[: int(0.94 * len(image))]  # above the foot
        dark = np.flatnonzero((body < 200).any(1))  # small text is gray at this resolution
        end = dark.max() / len(image)
        filled += end > 0.8
        room = 0.93 - end
        assert end > 0.8 or number == before or room < figures.get(number + 1, 0), number
        assert np.diff(dark).max() < 0.15 * len(image), number
    assert filled > len(images) / 2


def heights_of_first_figures(pdf: Path) -> dict[int, float]:
    """Return the height of the figure at the top of each page that begins with one, at least.

    Pages count from 0, heights are parts of the page: from its upper margin to the caption, which
    is in the middle if it stands to the right of the figure.
    """
    found = {}
    for number, page in enumerate(pages_of(pdf)):
        width, height = map(float, re.findall(r'(?:width|height)="([0-9.]+)"', page)[:2])
        words = re.findall(r'xMin="([0-9.]+)" yMin="([0-9.]+)"[^>]*>([^<]*)<', page)
        named = [
            (float(left) / width, float(top) / height)
            for (left, top, word), (*_, after) in pairwise(words)
            if word in {"Figure", "Table"} and re.fullmatch(r"\d+\.", after)
        ]
        if named:
            left, top = named[0]
            found[number] = (top - MARGIN) * (2 if left > 0.4 else 1)
    return found


def checklist_page(pdf: Path) -> int:
    """Return the page with the checklist, from 0."""
    return next(number for number, page in enumerate(pages_of(pdf)) if ">checklist<" in page)


def pages_of(pdf: Path) -> list[str]:
    """Return the words of each page with their places."""
    command = ["pdftotext", "-bbox", str(pdf), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return text.split("<page ")[1:]


def test_the_floats_of_the_results_stand_before_the_checklist(with_paper: Project):
    pages = pages_of(with_paper.run / "paper.pdf")
    first = checklist_page(with_paper.run / "paper.pdf")
    figures = [number for number, page in enumerate(pages) if ">Figure<" in page]
    assert max(figures) == first - 1
    assert ">References<" in "".join(pages[first:])
    assert ">Departures<" in "".join(pages[first:])


def test_every_table_and_figure_has_a_caption_and_a_place_in_the_text(with_paper: Project):
    text = (with_paper.run / "paper/paper.tex").read_text(encoding="utf-8")
    for path in (with_paper.run / "tables").glob("*.tex"):
        text += path.read_text(encoding="utf-8") if rf"tables/{path.stem}}}" in text else ""
    labels = set(re.findall(r"\\label\{((?:tab|fig):[^}]*)\}", text))
    named = set(re.findall(r"\\ref\{((?:tab|fig):[^}]*)\}", text))
    assert len(labels) > 12
    assert {one for one in labels if one.startswith("tab")} <= named
    assert named <= labels
    kinds = {one.partition("-")[0] for one in labels if one.startswith("fig")}
    assert kinds == {one.partition("-")[0] for one in named if one.startswith("fig")}
    pdf = text_of(with_paper.run / "paper.pdf")
    tables = [int(one) for one in re.findall(r"Table (\d+)\. ", pdf)]
    figures = [int(one) for one in re.findall(r"Figure (\d+)\. ", pdf)]
    assert sorted({*tables}) == [*range(1, max(tables) + 1)]
    assert sorted({*figures}) == [*range(1, max(figures) + 1)]
    assert "??" not in pdf


def test_the_paper_has_no_table_of_what_the_paper_lacks(with_paper: Project):
    text = (with_paper.run / "paper/paper.tex").read_text(encoding="utf-8")
    assert "tables/mnist-verdicts" not in text
    assert "The paper's numbers for this data set are not at hand." in text
    assert "tables/omniglot-verdicts" in text
    pdf = text_of(with_paper.run / "paper.pdf")
    for name in ("cluster_matching", "per_dataset", "train_embedding", "outer_lr", "spatial_mean"):
        assert name not in pdf
