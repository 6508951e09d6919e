"""Multinomial logistic regression by scikit-learn, the reference for our own solver.

It is imported only if the configuration selects it.
"""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from cactus.errors import TrainingError
from cactus.evaluate.baselines.base import FloatArray, IntArray, flatten, support_labels

_BINARY = 2


class ScikitLearnRegression:
    """The regressions of `cactus.evaluate.baselines.linear.LogisticRegression`, one by one.

    Parameters
    ----------
    c
        Weights of the summed cross-entropy relative to half the squared weights.
    tolerance
        Bound on the largest entry of the gradient of the objective divided by the support's size.
    max_iterations
        Largest number of Newton steps.
    """

    def __init__(self, c: Sequence[float], tolerance: float, max_iterations: int) -> None:
        self._c, self._tolerance, self._max_iterations = c, tolerance, max_iterations

    def predict(self, support: FloatArray, query: FloatArray) -> IntArray:
        """Return the labels (V, T, way, query) of queries (T, way, query, d).

        Raises
        ------
        TrainingError
            scikit-learn warns that a regression did not converge.
        """
        way, shot = support.shape[1:3]
        labels = support_labels(way, shot)
        result = np.empty((len(self._c), *query.shape[:3]), dtype=np.int64)
        for task, (points, queries) in enumerate(
            zip(flatten(support), flatten(query), strict=True)
        ):
            for index, c in enumerate(self._c):
                model = self._fit(points, labels, c)
                result[index, task] = model.predict(queries).reshape(query.shape[1:3])
        return result

    def _fit(self, points: FloatArray, labels: IntArray, c: float) -> LogisticRegression:
        # Of two classes it fits the difference of the logits, and penalizes that twice as much.
        model = LogisticRegression(
            C=c * _BINARY if labels.max() < _BINARY else c,
            solver="newton-cg",
            tol=self._tolerance,
            max_iter=self._max_iterations,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            warnings.filterwarnings("error", "Line Search failed")
            try:
                return model.fit(points, labels)
            except Warning as warning:
                raise TrainingError(
                    "A logistic regression by scikit-learn did not converge.",
                    where="baselines.linear",
                    got=f"C = {c:g}: {warning}",
                    fix="raise baselines.linear.tolerance or max_iterations, or lower "
                    "baselines.linear.c",
                ) from warning
