"""Pages of a paper are full; its tables and figures have captions and places in the text."""

import re
import subprocess

import numpy as np
import pytest
from PIL import Image

from tests.workflow.paper.made import text_of
from tests.workflow.project import Project

pytestmark = [pytest.mark.workflow, pytest.mark.latex]


def test_no_page_is_nearly_empty(with_paper: Project, tmp_path):
    pdf = with_paper.run / "paper.pdf"
    subprocess.run(["pdftoppm", "-r", "20", "-gray", str(pdf), str(tmp_path / "page")], check=True)
    *pages, _last = sorted(tmp_path.iterdir())
    for page in pages:
        image = np.asarray(Image.open(page))
        body = image[: int(0.94 * len(image))]  # above the foot
        dark = np.flatnonzero((body < 200).any(1))  # small text is gray at this resolution
        assert dark.max() > 0.8 * len(image), page.name
        assert np.diff(dark).max() < 0.15 * len(image), page.name


def test_every_table_and_figure_has_a_caption_and_a_place_in_the_text(with_paper: Project):
    text = (with_paper.run / "paper/paper.tex").read_text(encoding="utf-8")
    for path in (with_paper.run / "tables").glob("*.tex"):
        text += path.read_text(encoding="utf-8") if rf"tables/{path.stem}}}" in text else ""
    labels = set(re.findall(r"\\label\{((?:tab|fig):[^}]*)\}", text))
    labels |= set(re.findall(r"\\settingscaption\{[^}]*\}\{(tab:[^}]*)\}", text))
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
