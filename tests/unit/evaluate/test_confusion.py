"""Which classes queries are taken for, counted query by query."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cactus.errors import DataError
from cactus.evaluate.confusion import (
    COLUMNS,
    CONFUSION_FILE,
    Confusion,
    ConfusionRow,
    read_confusion,
)
from cactus.evaluate.run_model import evaluate_cell, evaluate_model
from cactus.evaluate.statistics import read_accuracies
from cactus.meta.base import cut, position_accuracies, task_accuracies
from cactus.stages.evaluate_model import EvaluateModelSpec
from cactus.tasks.episodes import EpisodeBatch
from tests.unit.evaluate.baseline_jobs import write_data
from tests.unit.meta.custom_modules import SHAPE, example
from tests.unit.meta.tiny import episodes, learner, task_source

WAY, QUERY, PER_CLASS = 3, 4, 12
HEADER = ",".join(COLUMNS) + "\n"
SOURCE = task_source(shape=SHAPE, way=WAY, shot=2, query=QUERY, classes=8, noise=120.0)
LABELS = np.repeat(np.arange(8), PER_CLASS)


def model(name: str) -> Any:
    return example() if name == "matching" else learner(name, shape=SHAPE, way=WAY)


@torch.no_grad()
def predictions(built: Any, episode: EpisodeBatch) -> np.ndarray:
    """Return the predicted place of each query (way, query) of an episode, from logits alone."""
    if built.name != "matching":
        logits = built.query_logits(SOURCE.images, episode)
        return np.asarray(logits[0].argmax(1)).reshape(WAY, QUERY)
    pictures = SOURCE.images.permute(0, 3, 1, 2) / 255
    support, query = (pictures[torch.from_numpy(one)] for one in (episode.support, episode.query))
    logits = built.eval().logits(support, query.flatten(1, 2))
    return np.asarray(logits[0].argmax(1)).reshape(WAY, QUERY)


@pytest.mark.parametrize("name", ["maml", "protonets", "matching"])
def test_counts_are_those_of_single_queries(name: str):
    built, batch = model(name), episodes(SOURCE, 30)
    predicted_as: Counter[tuple[int, int]] = Counter()
    together: Counter[tuple[int, int]] = Counter()
    right = []
    for episode in cut(batch, 1):
        places = predictions(built, episode)
        classes = [int(LABELS[image]) for image in episode.support[0, :, 0]]
        right.append(sum(int(place) == row for row, one in enumerate(places) for place in one))
        for row in range(WAY):
            for query in range(QUERY):
                true = int(LABELS[episode.query[0, row, query]])
                assert true == classes[row]
                predicted_as[true, classes[places[row, query]]] += 1
                for other in classes:
                    together[true, other] += 1
    found = Confusion(LABELS)
    (result,) = evaluate_model(
        built, SOURCE.images, {(WAY, 2): [batch]}, lambda _: None, confusion=found
    )
    assert found.rows() == [
        ConfusionRow(WAY, 2, *pair, predicted_as[pair], together[pair])
        for pair in sorted(predicted_as)
    ]
    assert result.accuracies.accuracies.tolist() == [one / (WAY * QUERY) for one in right]
    assert 0 < sum(right) < 30 * WAY * QUERY  # both right and wrong predictions are counted


def test_only_the_first_setting_is_counted_however_episodes_are_cut():
    built = learner("protonets", shape=SHAPE, way=WAY)
    first, second = (task_source(shape=SHAPE, way=WAY, shot=shot, query=QUERY, classes=8)
                     for shot in (1, 5))  # fmt: skip
    settings = {(WAY, 1): cut(episodes(first, 12), 5), (WAY, 5): cut(episodes(second, 12), 5)}
    found = []
    for at_once in (1, 5, 100):
        built = learner("protonets", shape=SHAPE, way=WAY, evaluation_tasks_at_once=at_once)
        counted = Confusion(LABELS)
        evaluate_model(built, first.images, settings, lambda _: None, counted)
        found.append(counted.rows())
    assert found[0] == found[1] == found[2]
    assert {(row.way, row.shot) for row in found[0]} == {(WAY, 1)}
    assert sum(row.predictions for row in found[0]) == 12 * WAY * QUERY


def test_accuracies_are_the_bits_that_logits_give():
    logits = torch.randn(50, 35, 7, generator=torch.Generator().manual_seed(0))
    positions = logits.argmax(2).view(50, 7, 5)
    assert torch.equal(position_accuracies(positions), task_accuracies(logits))


def _evaluated(
    folder: Path, labels: np.ndarray, columns: dict[str, list[int]], **values: Any
) -> Path:
    write_data(folder / "data", dict.fromkeys(("train", "val", "test"), labels), columns)
    settings, speed = (getattr(learner("maml", way=2), one) for one in ("settings", "speed"))
    spec = {
        "dataset": "celeba" if columns else "omniglot", "source": "scratch", "learner": "maml",
        "seed": 0, "settings": settings.model_dump(), "speed": speed.model_dump(),
        "scratch": None, "pool_attributes": 1, "compute": {"device": "cpu", "threads": 1},
        "evaluation": {"tasks": 6, "query": 3, "split": "test", **values},
    }  # fmt: skip
    output = folder / "evaluation"
    output.mkdir()
    made = EvaluateModelSpec.model_validate(spec)
    evaluate_cell(made, folder / "data", None, output, lambda _: None)
    return output


def test_the_file_of_a_job_agrees_with_its_accuracies(tmp_path: Path):
    settings = [{"way": 2, "shot": 5}, {"way": 2, "shot": 1}]
    output = _evaluated(tmp_path, np.repeat(np.arange(5), 10), {}, settings=settings)
    rows = read_confusion(output / CONFUSION_FILE)
    scores = read_accuracies(output / "accuracies.csv")
    assert {(row.way, row.shot) for row in rows} == {(2, 5)}
    right = sum(row.predictions for row in rows if row.true == row.predicted)
    whole = sum(row.predictions for row in rows)
    assert whole == 6 * 2 * 3
    assert right == (scores[0].accuracies * 2 * 3).sum()
    text = (output / CONFUSION_FILE).read_text()
    assert text.startswith(HEADER)
    assert len(text.splitlines()) == 1 + len(rows)


def test_tasks_of_attributes_have_a_header_alone(tmp_path: Path):
    labels = np.random.default_rng(0).integers(0, 2, (60, 4))
    columns = {split: [0, 1, 2] for split in ("train", "val", "test")}
    output = _evaluated(tmp_path, labels, columns, settings=[{"way": 2, "shot": 1}])
    assert (output / CONFUSION_FILE).read_text() == HEADER
    assert read_confusion(output / CONFUSION_FILE) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "way,shot\n",
        HEADER + "5,1,0,0,3\n",
        HEADER + "5,1,0,0,3,4,5\n",
        HEADER + "5,1,0,0,0,4\n",
        HEADER + "5,1,0,0,5,4\n",
        HEADER + "5,1,-1,0,3,4\n",
        HEADER + "5,1,a,0,3,4\n",
        HEADER + "5,1,0,0,3.5,4\n",
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str):
    path = tmp_path / CONFUSION_FILE
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_confusion(path)
    assert caught.value.where == str(path)
