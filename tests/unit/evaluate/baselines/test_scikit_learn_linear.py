"""Logistic regression by scikit-learn, the reference path, labels as our own kernel does."""

import numpy as np
import pytest

from cactus.errors import TrainingError
from cactus.evaluate.baselines.linear import LogisticRegression
from cactus.evaluate.baselines.scikit_learn_linear import ScikitLearnRegression
from tests.unit.evaluate.cases import clustered_episodes

VALUES = [100.0, 0.01, 1.0]


@pytest.mark.parametrize(("way", "shot", "dims"), [(5, 1, 32), (2, 5, 32), (3, 8, 6), (2, 1, 4)])
def test_labels_are_those_of_our_kernel(way: int, shot: int, dims: int) -> None:
    """Up to queries whose two highest logits differ by less than the solvers' tolerance allows."""
    support, query = clustered_episodes(tasks=8, way=way, shot=shot, dims=dims, noise=2.0)
    ours = LogisticRegression(VALUES, 1e-9, 200)
    logits = np.sort(ours.logits(support, query), axis=-1)
    clear = logits[..., -1] - logits[..., -2] > 1e-3
    assert clear.mean() > 0.9
    labels = ScikitLearnRegression(VALUES, 1e-8, 200).predict(support, query)
    np.testing.assert_array_equal(labels[clear], ours.predict(support, query)[clear])


def test_penalties_matter() -> None:
    """The labels differ between the values, so that the order of the values is tested, too."""
    support, query = clustered_episodes(tasks=20, noise=2.0)
    labels = ScikitLearnRegression(VALUES, 1e-8, 200).predict(support, query)
    assert (labels[0] != labels[1]).any()


def test_a_regression_that_does_not_converge_is_an_error() -> None:
    with pytest.raises(TrainingError, match="converge") as caught:
        ScikitLearnRegression([100.0], 1e-10, 1).predict(*clustered_episodes())
    assert "C = 100" in caught.value.got
