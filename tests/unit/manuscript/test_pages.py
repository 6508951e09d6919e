"""Figures are put into floats: in their order, narrow ones side by side."""

from dataclasses import replace
from pathlib import Path

import pytest

from cactus.errors import DataError
from cactus.manuscript.pages import Kind, arranged, floats, kinds
from cactus.report.figures import Figure

PNG = Path("missing.png")  # a paper reads none


def figures(folder: Path, *widths: float, caption: str = "") -> list[Figure]:
    """Write PDFs of some widths in points, and return them as figures."""
    found = []
    for number, width in enumerate(widths):
        (folder / f"f{number}.pdf").write_bytes(b"%%PDF /MediaBox [ 0 0 %f 90 ]" % width)
        own = caption or f"Caption {number}."
        found.append(Figure(f"f{number}", "", "Title", own, PNG, "f.pdf"))
    return found


@pytest.mark.parametrize(
    ("widths", "rows"),
    [
        ([], []),
        ([510, 510], [[0], [1]]),
        ([241, 241, 241], [[0, 1], [2]]),
        ([241, 510, 241, 241, 240], [[0], [1], [2, 3], [4]]),
        ([396, 241], [[0], [1]]),
    ],
)
def test_two_narrow_figures_that_follow_each_other_share_a_float(widths, rows, tmp_path: Path):
    found = floats(figures(tmp_path, *widths), tmp_path)
    assert [[int(one.name[1:]) for one in row] for row in found] == rows
    assert [one.narrow for row in found for one in row] == [width < 248 for width in widths]


def test_narrow_figures_of_a_kind_come_first_and_kinds_stay_in_order(tmp_path: Path):
    given = figures(tmp_path, 510, 241, 510, 241)
    names = ("shots", "confusion-mnist", "confusion-omniglot", "confusion-celeba")
    for number, name in enumerate(names):
        (tmp_path / f"f{number}.pdf").rename(tmp_path / f"{name}.pdf")
    given = [replace(one, name=name) for one, name in zip(given, names, strict=True)]
    found = [one.name for one in arranged(given, tmp_path)]
    assert found == ["shots", "confusion-mnist", "confusion-celeba", "confusion-omniglot"]


def test_a_caption_is_said_once_for_each_kind(tmp_path: Path):
    given = figures(tmp_path, 510, 510, 510, caption="The same.")
    names = ("tasks-mnist", "tasks-celeba", "purity-mnist")
    given = [replace(one, name=name) for one, name in zip(given, names, strict=True)]
    for number, name in enumerate(names):
        (tmp_path / f"f{number}.pdf").rename(tmp_path / f"{name}.pdf")
    found = [one for row in floats(given, tmp_path) for one in row]
    assert [one.like for one in found] == ["", "tasks-mnist", ""]


def test_kinds_have_their_first_and_last_figure(tmp_path: Path):
    given = [
        replace(one, name=name, title=title)
        for one, name, title in zip(
            figures(tmp_path, 1, 1, 1),
            ("shots", "tasks-mnist", "tasks-celeba"),
            ("Shots", "Tasks: MNIST", "Tasks: CelebA: faces"),
            strict=True,
        )
    ]
    tasks = Kind("Tasks", "tasks-mnist", "tasks-celeba")
    assert kinds(given) == [Kind("Shots", "shots", "shots"), tasks]


def test_a_file_that_is_no_figure_is_named(tmp_path: Path):
    given = figures(tmp_path, 510)
    (tmp_path / "f0.pdf").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        floats(given, tmp_path)
    assert caught.value.where == str(tmp_path / "f0.pdf")
