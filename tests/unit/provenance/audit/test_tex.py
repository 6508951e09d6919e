"""The numbers read from a LaTeX table are those that the writer printed."""

from pathlib import Path

import pytest

from cactus.paper.cells import our_cell, paper_cell
from cactus.provenance.audit.reading.tex import numbers_in_table

PUBLISHED = {
    "in_paper": True, "paper_status": "verified", "paper_mean": 0.6884, "paper_ci95": 0.008,
    "paper_ci95_status": "verified",
}  # fmt: skip
NAN = float("nan")
CELLS = [
    our_cell({"mean": 0.6884, "ci95": 0.008}, 2, bold=True),
    our_cell({"mean": 0.05, "ci95": 0.0}, 1, bold=False),
    our_cell({"mean": 1.0, "ci95": 0.0}, 0, bold=False),
    paper_cell(PUBLISHED, 2),
    paper_cell({**PUBLISHED, "paper_status": "recalled"}, 2),
    paper_cell({**PUBLISHED, "paper_ci95": NAN}, 2),
    paper_cell({**PUBLISHED, "paper_ci95": NAN, "paper_status": "recalled"}, 2),
    paper_cell({**PUBLISHED, "paper_status": "unavailable"}, 2),
    paper_cell({**PUBLISHED, "in_paper": False}, 2),
]


def table(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "table.tex"
    body = "\n".join(["\\toprule", "a & b & c \\\\", "\\midrule", *rows, "\\bottomrule", "x & 1"])
    path.write_text(body)
    return path


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.latex)
def test_a_cell_is_read_as_it_was_printed(tmp_path: Path, cell):
    path = table(tmp_path, f"ACAI & kNN & {cell.latex} \\\\", "\\addlinespace")
    assert list(numbers_in_table(path)) == [[cell.printed]]


def test_a_number_below_zero_is_read(tmp_path: Path):
    path = table(tmp_path, "ACAI & MAML & -1.20 & 3 \\\\")
    assert list(numbers_in_table(path)) == [["-1.20", "3"]]


def test_a_cell_without_a_model_is_left_out(tmp_path: Path):
    path = table(tmp_path, "Random & MAML & {} & {--} & 1.00 \\pm 0.20 {\\rlap{$^{*}$}} \\\\")
    assert list(numbers_in_table(path)) == [["", "1.00 ± 0.20 *"]]


def test_every_table_of_a_file_is_read(tmp_path: Path):
    first = table(tmp_path, "ACAI & MAML & 1.00 \\\\").read_text()
    path = table(tmp_path, "\\midrule", "Pixels & MAML & 2.00 \\\\")
    path.write_text(f"{first}\n{path.read_text()}")
    assert list(numbers_in_table(path)) == [["1.00"], ["2.00"]]


def test_an_unreadable_number_is_reported(tmp_path: Path):
    ((found,),) = numbers_in_table(table(tmp_path, "ACAI & kNN & 68,84 \\\\"))
    assert found == "unreadable: 68,84"
