"""Means of a training's metrics between two lines of its log."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class RunningMeans:
    """Means of metrics since the last line of the log, kept on the device."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def add(self, metrics: Mapping[str, Tensor]) -> None:
        """Add the metrics of one step."""
        self._count += 1
        for name, value in metrics.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value

    def pop(self) -> dict[str, float]:
        """Return the means and begin anew."""
        means = {name: float(total) / self._count for name, total in self._sums.items()}
        self._sums, self._count = {}, 0
        return means

    def state_dict(self) -> dict[str, Any]:
        """Return sums and count, as values that a checkpoint can hold."""
        return {"sums": self._sums, "count": self._count}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Take over what `state_dict` returned."""
        self._sums = {name: total.to(device) for name, total in state["sums"].items()}
        self._count = state["count"]
