"""The lines of numbers that two runs share."""

import pytest

from cactus.cli.results.diff import _number_row
from cactus.config.printed.titles import Titles
from cactus.evaluate.comparison import PairedComparison
from cactus.paper.scores import ScoreKey
from cactus.provenance.audit.diff import NumberDifference


def test_a_number_has_the_titles_of_its_embedding_and_learner():
    key = ScoreKey("mnist", "fresh", "cactus-mine", "mine", 5, 1)
    own = Titles(embeddings={"fresh": "50% & more_"}, learners={"mine": "Ünsal"})
    row = _number_row(NumberDifference(key, "0", 0.5, 0.25, None), own)
    assert row[0] == "mnist: 50% & more_, CACTUs-Ünsal, 5-way 1-shot, seed 0"
    assert row[3] == "+25.00"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "< 0.0001"), (0.00009, "< 0.0001"), (0.0001, "0.0001"), (1.0, "1.0000")],
)
def test_a_p_value_is_never_printed_as_0(value, shown):
    key = ScoreKey("mnist", "acai", "cactus-maml", "maml", 5, 1)
    paired = PairedComparison(10, 0.1, 0.05, 0.15, value)
    assert _number_row(NumberDifference(key, "0", 0.5, 0.4, paired), Titles())[-1] == shown
