import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cactus.paper.drawing.text import shortened, spread, text_height, text_width, wrapped


def test_wider_text_is_wider():
    assert 0 < text_width("ACAI", 8) < text_width("DeepCluster", 8) < text_width("DeepCluster", 9)
    assert text_width("ACAI", 8, bold=True) > text_width("ACAI", 8)


@given(text=st.text("ab _-\nm", max_size=40), width=st.floats(0.3, 2.0), lines=st.integers(1, 4))
def test_wrapped_lines_fit(text: str, width: float, lines: int):
    found = wrapped(text, width, 8, lines=lines)
    assert len(found.split("\n")) <= max(lines, 1)
    assert all(text_width(line, 8) <= width for line in found.split("\n"))
    kept = found.replace("\n", "").replace(" ", "").removesuffix("…")
    assert text.replace("\n", "").replace(" ", "").startswith(kept)


def test_text_breaks_between_words_then_at_underscores():
    assert wrapped("Garden birds in winter", 1.0, 8) == "Garden birds in\nwinter"
    assert wrapped("birds_of_the_north", 0.7, 8, lines=3) == "birds_of_\nthe_north"
    assert wrapped("Garden birds in winter", 0.5, 8, lines=2).endswith("…")


def test_the_highest_text_counts():
    assert text_height(["a", "b\nc"], 8) == text_height(["b\nc"], 8) > text_height(["a"], 8)


@given(places=st.lists(st.floats(0, 10), max_size=8), gap=st.floats(0.01, 1.0))
def test_spread_places_are_apart_and_inside(places: list[float], gap: float):
    moved = spread(places, gap, 0, 10)
    assert len(moved) == len(places)
    ordered = np.sort(moved)
    assert (np.diff(ordered) >= gap - 1e-9).all()
    assert all(-1e-9 <= place <= 10 + 1e-9 for place in moved)
    assert list(np.argsort(moved, kind="stable")) == list(np.argsort(places, kind="stable"))


def test_places_that_are_apart_stay_and_others_move_evenly():
    assert spread([1.0, 5.0, 9.0], 1, 0, 10) == [1.0, 5.0, 9.0]
    assert spread([5.0, 5.0], 1, 0, 10) == pytest.approx([4.5, 5.5])
    assert spread([0.0, 0.0], 1, 0, 10) == pytest.approx([0.0, 1.0])


@given(
    text=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
    width=st.floats(0.3, 3),
)
def test_a_shortened_text_fits_and_keeps_its_ends(text: str, width: float):
    line = " ".join(text.split())
    found = shortened(text, width, 8)
    assert text_width(found, 8) <= width
    start, _, end = found.partition("…")
    assert found == line or (line.startswith(start) and line.endswith(end))


def test_the_middle_of_a_name_is_left_out():
    assert shortened("Tibetan/character07", 2, 8) == "Tibetan/character07"
    assert shortened("Tibetan/character07", 0.8, 8) == "Tibeta…ter07"
