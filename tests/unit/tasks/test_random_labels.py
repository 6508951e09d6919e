import numpy as np
from scipy.stats import chisquare

from cactus.config.sections.partition import RandomSettings
from cactus.tasks.random_labels import random_partitions


def made(images=4000, minimum=1, labels=10, count=3, seed=0):
    settings = RandomSettings(labels=labels, count=count)
    return [p.labels for p in random_partitions(images, settings, minimum, ("test", seed))]


def test_labels_are_uniform_and_differ_between_partitions():
    first, second, third = made()
    for labels in (first, second, third):
        assert chisquare(np.bincount(labels, minlength=10)).pvalue > 1e-6
    assert 0.05 < (first == second).mean() < 0.15


def test_small_labels_are_dropped():
    (labels,) = made(images=60, minimum=6, count=1)
    sizes = np.bincount(labels[labels >= 0])
    assert sizes[sizes > 0].min() >= 6
    assert (labels == -1).any()


def test_partitions_do_not_depend_on_their_order():
    assert np.array_equal(made(count=5)[:2], made(count=2))
    assert not np.array_equal(made(seed=1), made(seed=2))
