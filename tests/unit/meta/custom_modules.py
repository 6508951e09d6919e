"""Learners as users write them: the example of the docs, and modules that tests change."""

from functools import partial
from pathlib import Path
from typing import Any

from cactus.config.sections.learners.custom import CustomLearner
from cactus.meta.registry import build
from tests.unit.meta.tiny import CPU, task_source
from tests.workflow.project import ROOT

EXAMPLE = str(ROOT / "docs/examples/matching_networks.py")
SHAPE = (16, 16, 1)
SMALL: dict[str, Any] = {"way": 3, "shot": 2, "query": 2, "tasks_per_batch": 3, "iterations": 3}
CURVE = {"every": 2, "tasks": 4, "way": 3, "shot": 2, "query": 2}
SOURCE = task_source(shape=SHAPE)
PLAIN = """
import torch
from torch import nn
from cactus.config.sections import base
from cactus.meta.episodic import EpisodicLearner


class Settings(base.Settings):
    scale: base.Positive = 1.0


class Learner(EpisodicLearner):
    def __init__(self, settings, training, image_shape, generator):
        super().__init__(training, image_shape)
        height, width, channels = image_shape
        self.linear = nn.Linear(height * width * channels, 8)
        self.settings_of_mine = settings
        self.register_buffer("calls", torch.zeros(()))
        self.count = 0

    def vectors(self, images):
        return self.linear(images.flatten(-3))

    def logits(self, support, query):
        means = self.vectors(support).mean(2)
        return self.change(-torch.cdist(self.vectors(query), means), support, query)

    def change(self, logits, support, query):
        return logits
"""


def example(name: str = "matching", *, seed: int = 0, **changes: Any) -> Any:
    """Build the learner of the example, with few filters."""
    entry = CustomLearner(module=EXAMPLE, settings={"filters": 4}, **{**SMALL, **changes})
    return build(name, entry, None, SHAPE, seed=seed, device=CPU)


def module(folder: Path, text: str, **changes: Any) -> partial[Any]:
    """Write a module; return what builds its learner."""
    path = folder / "mine.py"
    path.write_text(text)
    entry = CustomLearner(module=str(path), **{**SMALL, **changes})
    return partial(build, "mine", entry, None, SHAPE, seed=0, device=CPU)


def changing(line: str, text: str = PLAIN) -> str:
    """Return a module whose learner changes its logits by a line."""
    return text.replace("        return logits\n", f"        {line}\n        return logits\n")


DROPOUT = changing("logits = nn.functional.dropout(logits, 0.5, self.training)")
