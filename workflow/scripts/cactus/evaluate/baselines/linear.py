"""Multinomial logistic regression on the support embeddings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.evaluate.baselines.base import FloatArray, IntArray, flatten, support_labels
from cactus.evaluate.baselines.newton import fit_logistic

_BLOCK_ENTRIES = 100_000  # of design matrices solved together: about a megabyte, to fit the cache


class LogisticRegression:
    """Softmax regression with half the squared weights as the penalty, solved to its optimum.

    All classes have the same parametrization, as with the original's ``multinomial``. With two
    classes the penalty on the logit difference is therefore half that of binomial regression.

    Parameters
    ----------
    c
        Weights of the summed cross-entropy relative to half the squared weights. From the lowest
        to the highest, each regression starts from the last one's optimum.
    tolerance, max_iterations
        See `cactus.evaluate.baselines.newton.fit_logistic`.
    """

    def __init__(self, c: Sequence[float], tolerance: float, max_iterations: int) -> None:
        self._c, self._tolerance, self._max_iterations = c, tolerance, max_iterations

    def predict(self, support: FloatArray, query: FloatArray) -> IntArray:
        """Return the labels (V, T, way, query) of queries (T, way, query, d).

        Raises
        ------
        TrainingError
            The regression of an episode did not converge.
        """
        labels: npt.NDArray[np.intp] = self.logits(support, query).argmax(axis=-1)
        return labels.astype(np.int64)

    def logits(self, support: FloatArray, query: FloatArray) -> npt.NDArray[np.float64]:
        """Return the logits (V, T, way, query, way); they sum to zero over the classes."""
        _, way, shot, dims = support.shape
        points = way * shot
        block = max(1, _BLOCK_ENTRIES // (points * (min(points, dims) + 1)))
        parts = [
            self._block_logits(support[start : start + block], query[start : start + block])
            for start in range(0, len(support), block)
        ]
        return np.concatenate(parts, axis=1)

    def _block_logits(self, support: FloatArray, query: FloatArray) -> npt.NDArray[np.float64]:
        way, shot = support.shape[1:3]
        targets = np.eye(way)[support_labels(way, shot)]
        weights, biases = fit_logistic(
            flatten(support), targets, self._c, self._tolerance, self._max_iterations
        )
        logits: npt.NDArray[Any] = flatten(query) @ weights + biases[..., None, :]
        return logits.reshape(len(logits), *query.shape[:3], way)
