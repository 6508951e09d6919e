import json
from functools import partial

import numpy as np
import pytest

from cactus.config.sections.partition import PartitionSettings
from cactus.config.sections.source import Source
from cactus.errors import ConfigError, EpisodeError
from cactus.tasks.episodes import load_sampler
from cactus.tasks.kmeans.cpu_points import cpu_points
from cactus.tasks.kmeans.lloyd import kmeans
from cactus.tasks.make import PartitionJob, make_partitions
from cactus.tasks.shape import EpisodeShape

SETTINGS = PartitionSettings.model_validate(
    {
        "clusters": 8,
        "count": 3,
        "random": {"labels": 6, "count": 4},
        "hyperplanes": {"planes": 20, "count": 5, "per_embedding": {"acai": {"margin": 0.1}}},
        "pixels": {"count": 1},
        "variants": {
            "k-8": {"clusters": 8},  # what the base has
            "p-1": {"count": 1},
            "margin-0": {"hyperplanes": {"margin": 0.0}},
            "wide": {"hyperplanes": {"margin": 50.0}},
        },
    }
)

LOAD = partial(cpu_points, threads=1)


def generator():
    return np.random.default_rng(0)


def embeddings():
    centroids = generator().normal(size=(8, 5))
    points = np.repeat(centroids, 30, axis=0) + 0.1 * generator().normal(size=(240, 5))
    return points.astype(np.float32)


def pictures():
    return generator().integers(0, 256, (240, 4, 4, 1), dtype=np.uint8)


def make(folder, source, data, report=lambda _: None, way=3, seed=0, cluster=kmeans):
    parsed = Source.parse(source)
    settings = SETTINGS.of_source(parsed, "omniglot")
    job = PartitionJob(
        settings, "maml", settings.maml, EpisodeShape(way, 1, 5), seed, LOAD, cluster
    )
    make_partitions(parsed, data, folder, job, report)
    return json.loads((folder / "summary.json").read_text())


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("acai", "embeddings"),
        ("acai+p-1", "embeddings"),
        ("hyperplanes-acai", "embeddings"),
        ("random", "images"),
        ("pixels", "images"),
        ("labels", "labels"),
    ],
)
def test_what_a_source_reads(source, reads):
    assert Source.parse(source).input == reads


def test_from_scratch_has_no_partition(tmp_path):
    with pytest.raises(ConfigError, match="does not use partitions"):
        _ = Source.parse("scratch").input
    with pytest.raises(ConfigError, match="does not use partitions"):
        make(tmp_path, "scratch", embeddings())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "data", "count"),
    [
        ("acai", embeddings(), 3),
        ("acai+p-1", embeddings(), 1),
        ("hyperplanes-acai", embeddings(), 5),
        ("hyperplanes-acai+margin-0", embeddings(), 5),
        ("random", pictures(), 4),
        ("pixels", pictures(), 1),
        ("labels", np.repeat(np.arange(8), 30), 1),
    ],
)
def test_every_source_is_stored_and_serves_episodes(tmp_path, source, data, count):
    lines = []
    summary = make(tmp_path, source, data, lines.append)
    assert len(lines) == len(summary["per_partition"]) == count
    assert summary["source"] == source
    assert (summary["way"], summary["shot"], summary["query"]) == (3, 1, 5)
    stored = np.load(tmp_path / "partitions.npy", allow_pickle=False)
    assert stored.shape == (count, 240)
    assert stored.dtype == np.int8
    batch = load_sampler(tmp_path, 3, 1, 5).sample(generator(), 4)
    assert batch.query.shape == (4, 3, 5)


@pytest.mark.parametrize("source", ["acai", "hyperplanes-acai", "random", "pixels"])
def test_same_seed_same_bytes(tmp_path, source):
    data = pictures() if source in ("random", "pixels") else embeddings()
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        make(tmp_path / name, source, data, seed=seed)
    a, b, c = ((tmp_path / name / "partitions.npy").read_bytes() for name in "abc")
    assert a == b
    assert a != c
    assert (tmp_path / "a/summary.json").read_bytes() == (tmp_path / "b/summary.json").read_bytes()


def test_a_variant_draws_the_random_numbers_of_its_base(tmp_path):
    for name in ("acai", "acai+k-8"):
        make(tmp_path / name, name, embeddings())
    whole, same = (
        (tmp_path / name / "partitions.npy").read_bytes() for name in ("acai", "acai+k-8")
    )
    assert whole == same  # other numbers would number the clusters otherwise


@pytest.mark.parametrize(
    ("source", "asked", "used"),
    [
        ("hyperplanes-acai", 0.1, 0.1),
        ("hyperplanes-acai+margin-0", 0.0, 0.0),
        ("hyperplanes-acai+wide", 50.0, 0.0),  # a tenth of it is still outside of the cloud
    ],
)
def test_the_summary_has_the_margin_that_is_kept(tmp_path, source, asked, used):
    lines = []
    summary = make(tmp_path, source, embeddings(), lines.append)
    assert (summary["margin_asked"], summary["margin"]) == (asked, used)
    deviations = embeddings().std(axis=0)
    assert summary["margin_unit"] == pytest.approx(np.sqrt(np.mean(deviations**2)), rel=1e-5)
    warned = [line for line in lines if "cannot be met" in line]
    assert warned == (
        [f"margin {asked:g} cannot be met, {used:g} is used"] if asked != used else []
    )


def test_true_labels_are_stored_as_they_are(tmp_path):
    labels = np.repeat(np.arange(40), 6)
    make(tmp_path, "labels", labels)
    assert np.array_equal(np.load(tmp_path / "partitions.npy"), labels[None])


def test_attribute_pools_are_counted_not_stored(tmp_path):
    attributes = np.array([[0, 0, 0], [1, 1, 1]] * 10, np.uint8)
    lines = []
    summary = make(tmp_path, "labels", attributes, lines.append, way=2)
    assert (summary["kind"], summary["pools"], summary["pool_attributes"]) == ("pools", 1, 3)
    assert lines == ["1 attribute pools"]
    assert not (tmp_path / "partitions.npy").exists()
    batch = load_sampler(tmp_path, 2, 1, 5, attributes).sample(generator(), 3)
    assert batch.support.shape == (3, 2, 1)


@pytest.mark.parametrize(
    ("source", "data", "way"),
    [
        ("labels", np.repeat([0, 1], 30), 3),  # too few classes
        ("labels", np.repeat([0, 1, 2, 3], [9, 9, 9, 5]), 3),  # a class with too few images
        ("labels", np.ones((30, 4), np.uint8), 2),  # no pool
        ("random", pictures(), 7),  # six labels
        ("random", pictures()[:20], 3),  # labels with too few images
        ("acai", embeddings(), 9),  # eight clusters
        ("acai", embeddings()[:40], 3),  # too few images for eight clusters of more than six
        ("pixels", pictures()[:7], 3),  # fewer images than clusters
        ("hyperplanes-acai", embeddings()[:50], 3),  # sides cannot have sixty images
    ],
)
def test_impossible_episodes_stop_without_a_result(tmp_path, source, data, way):
    with pytest.raises(EpisodeError) as error:
        make(tmp_path, source, data, way=way)
    assert error.value.fix
    assert list(tmp_path.iterdir()) == []
