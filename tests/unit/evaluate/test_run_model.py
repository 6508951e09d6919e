import numpy as np
import pytest

from cactus.errors import EpisodeError
from cactus.evaluate.episodes import episodes_sha256
from cactus.evaluate.run_model import evaluate_model
from cactus.meta.base import cut
from tests.unit.meta.tiny import episodes, learner, task_source

SHAPE = (16, 16, 1)


def _source(way, shot):
    return task_source(shape=SHAPE, way=way, shot=shot, query=3)


@pytest.mark.parametrize("name", ["maml", "protonets"])
def test_every_setting_is_scored_episode_by_episode(name):
    model = learner(name, shape=SHAPE, way=4, evaluation_tasks_at_once=3)
    sources = {(4, 1): _source(4, 1), (2, 5): _source(2, 5)}
    images = sources[4, 1].images
    batches = {key: cut(episodes(source, 7), 2) for key, source in sources.items()}
    lines = []
    results = evaluate_model(model, images, batches, lines.append)
    assert [(r.accuracies.way, r.accuracies.shot) for r in results] == [(4, 1), (2, 5)]
    for result in results:
        own = batches[result.accuracies.way, result.accuracies.shot]
        alone = [
            model.accuracies(images, episode).item() for batch in own for episode in cut(batch, 1)
        ]
        assert result.accuracies.accuracies.dtype == np.float64
        np.testing.assert_allclose(result.accuracies.accuracies, alone, atol=1e-12)
        assert result.query == 3
        assert result.episodes_sha256 == episodes_sha256(own)
    assert any("7 of 7" in line for line in lines)


def test_accuracies_are_exact_fractions():
    source = _source(3, 1)
    model = learner("protonets", shape=SHAPE)
    (result,) = evaluate_model(
        model, source.images, {(3, 1): [episodes(source, 20)]}, lambda _: None
    )
    counts = result.accuracies.accuracies * 9
    assert np.array_equal(counts.round() / 9, result.accuracies.accuracies)


def test_more_classes_than_the_model_has_are_refused():
    source = _source(5, 1)
    with pytest.raises(EpisodeError, match="more classes"):
        evaluate_model(
            learner("maml", shape=SHAPE, way=4),
            source.images,
            {(5, 1): [episodes(source, 2)]},
            lambda _: None,
        )
