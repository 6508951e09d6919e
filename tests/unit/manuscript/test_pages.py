"""Figures are ordered such that they fill pages."""

from pathlib import Path

import pytest

from cactus.errors import DataError
from cactus.manuscript.pages import filling_pages
from cactus.report.figures import Figure
from cactus.report.pictures import Picture

PICTURE = Picture("", 1, 1)


def figures(folder: Path, *sizes: tuple[float, float]) -> list[Figure]:
    """Write PDFs of some widths and heights in points, and return them as figures."""
    found = []
    for number, (width, height) in enumerate(sizes):
        (folder / f"f{number}.pdf").write_bytes(b"%%PDF /MediaBox [ 0 0 %f %f ]" % (width, height))
        found.append(Figure(f"f{number}", "", "Title", "Caption.", PICTURE, "f.pdf"))
    return found


@pytest.mark.parametrize(
    ("sizes", "order"),
    [
        ([], []),
        ([(510, 600), (510, 600), (510, 60)], [0, 2, 1]),  # the small one fits below the first
        ([(510, 320), (510, 320), (510, 320)], [0, 1, 2]),  # two fit, the third does not
        ([(510, 480), (510, 400), (510, 330), (240, 190), (240, 190)], [0, 3, 1, 4, 2]),
        ([(1020, 1200), (510, 90)], [0, 1]),  # scaled to the width of the text
        ([(510, 2000), (510, 2000), (510, 60)], [0, 2, 1]),  # scaled to fit on a page
    ],
)
def test_a_figure_goes_to_the_first_page_with_room(sizes, order, tmp_path: Path):
    found = filling_pages(figures(tmp_path, *sizes), tmp_path)
    assert [int(one.name[1:]) for one in found] == order


def test_a_file_that_is_no_figure_is_named(tmp_path: Path):
    given = figures(tmp_path, (510, 100))
    (tmp_path / "f0.pdf").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        filling_pages(given, tmp_path)
    assert caught.value.where == str(tmp_path / "f0.pdf")
