"""What the cells of a grid read has to fit each other and the data; the rest may be anything."""

import pytest

from cactus.config.load import parse_config
from cactus.config.sections.synthetic import SyntheticSettings
from cactus.errors import ConfigError

GRID = {"datasets": ["omniglot"], "embeddings": ["acai"], "learners": ["maml"]}


def study(grid=(), **values):
    return {"grid": {**GRID, **dict(grid)}, **values}


def like(method, **settings):
    custom = {"mine": {"like": method, "settings": settings}}
    return study({"embeddings": ["mine"]}, embeddings={"custom": custom})


def maml(dataset="omniglot", **values):
    return {"grid": {**GRID, "datasets": [dataset]}, "learners": {"maml": values}}


@pytest.mark.parametrize(
    ("values", "key", "got", "limit"),
    [
        (maml("mnist", way=500), "learners.maml.way (for mnist)", "500", "clusters = 10"),
        (maml(way=501), "learners.maml.way (for omniglot)", "501", "clusters = 500"),
        (maml(validation={"way": 101}), "maml.validation.way", "101", "100 classes"),
        (maml(validation={"shot": 16}), "maml.validation.shot", "16", "at most 20"),
        (maml("celeba", validation={"way": 3}), "maml.validation.way", "3", "set it to 2"),
        (
            study({"controls": {"omniglot": ["labels"]}}, learners={"maml": {"query": 20}}),
            "learners.maml.query", "20", "at most 20",
        ),
        (
            study({"controls": {"omniglot": ["random"]}}, partitions={"random": {"labels": 9}}),
            "partitions.random.labels", "9", "a task of 20 classes",
        ),
        (
            study(evaluation={"settings": [{"way": 424, "shot": 1}]}),
            "evaluation.settings.0.way", "424", "423 classes",
        ),
        (
            study(evaluation={"settings": [{"way": 5, "shot": 16}]}),
            "evaluation.settings.0.shot", "16", "at most 20",
        ),
        (
            study({"datasets": ["miniimagenet"]}, evaluation={"settings": [{"way": 21}]}),
            "evaluation.settings.0.way", "21", "20 classes",
        ),
        (
            study({"datasets": ["miniimagenet"]}, evaluation={"query": 551}),
            "evaluation.query", "551", "at most 600",
        ),
        (study(partitions={"clusters": 4500}), "partitions.clusters", "4500", "3376 large enough"),
        (study(partitions={"clusters": 22_001}), "partitions.clusters", "22001", "22000 images"),
        (
            like("deepcluster", clusters=10**6),
            "custom.mine.settings.clusters (for omniglot)", "1000000", "22000 images",
        ),
        (like("acai", depth=0), "custom.mine.settings.depth", "0", "greater than or equal to 1"),
        (like("acai", latent_width=5), "mine.settings.working_size", "32", "a power of two"),
        (
            study({"embeddings": ["deepcluster"]}, embeddings={"deepcluster": {"clusters": 10**6}}),
            "embeddings.deepcluster.clusters", "1000000", "22000 images",
        ),
        (
            study({"baselines": True}, baselines={"cluster_matching": {"clusters": 10**6}}),
            "baselines.cluster_matching.clusters", "1000000", "22000 images",
        ),
        (
            study({"datasets": ["mnist"]}, data={"mnist": {"val_size": 60_000}}),
            "data.mnist.val_size", "60000", "train split",
        ),
        (
            study(data={"omniglot": {"train_characters": 1600}}),
            "data.omniglot.train_characters", "1600", "test split",
        ),
        (
            study({"datasets": ["celeba"]}, partitions={"pool_attributes": 11}),
            "partitions.pool_attributes", "11", "10 attributes",
        ),
        (
            study({"datasets": ["celeba"]}, data={"celeba": {"train_attributes": 30}}),
            "data.celeba.train_attributes", "30", "leave 0 of 40",
        ),
        (
            study({"controls": {"omniglot": ["acai+big"]}}, partitions={
                "variants": {"big": {"clusters": 22_001}}
            }),
            "partitions.variants.big.clusters", "22001", "22000 images",
        ),
        (
            study({"controls": {"omniglot": ["acai+few"]}}, partitions={
                "clusters": 40, "variants": {"few": {"clusters": 19}}
            }),
            "partitions.variants.few.clusters", "19", "a task of 20 classes",
        ),
        (maml(way=5), "learners.maml.way (for omniglot)", "5", "evaluation.settings.2.way is"),
        (maml(validation={"way": 21}), "maml.validation.way", "21", "each of the 20 classes"),
        (
            study({"scratch": True, "include": [{"source": "scratch"}]}, evaluation={
                "settings": [{"way": 22, "shot": 1}]
            }),
            "evaluation.settings.0.way", "22", "each of the 20 classes",
        ),
        (
            study({"controls": {"omniglot": ["hyperplanes-acai"]}}, partitions={
                "hyperplanes": {"planes": 4}
            }),
            "partitions.hyperplanes.planes", "4", "needs 5 planes",
        ),
        (
            study({"controls": {"omniglot": ["hyperplanes-acai"]}}, partitions={
                "hyperplanes": {"side_factor": 2000}
            }),
            "partitions.hyperplanes.side_factor", "2000", "12000 images on each side",
        ),
        (
            study(synthetic_data=True, learners={"maml": {"way": 41}}),
            "learners.maml.way", "41", "clusters = 40",
        ),
        (
            study(synthetic_data=True, partitions={"clusters": 1201}),
            "partitions.clusters", "1201", "1200 images",
        ),
        (
            study({"embeddings": ["deepcluster"]}, embeddings={"deepcluster": {"first_stride": 2}}),
            "embeddings.deepcluster.first_stride", "2", "nothing is left",
        ),
        (maml("mnist", way=1), "learners.maml.way", "1", "2 or more"),
        (
            study(data={"omniglot": {"min_images_per_class": 21}}),
            "data.omniglot.min_images_per_class", "21", "at most 20 of its smallest class",
        ),
        (
            study({"datasets": ["celeba"]}, data={"celeba": {"min_images": 20_000}}),
            "data.celeba.min_images", "20000", "val split of celeba has at most 19867",
        ),
        (
            study({"baselines": True}, baselines={"knn": {"neighbors": [6]}}),
            "baselines.knn.neighbors.0", "6", "up to 5, the smallest support",
        ),
        # Baselines select among several values on validation episodes.
        (
            study({"baselines": True}, data={"omniglot": {"val_characters": 19}}),
            "study.yaml: data.omniglot.val_characters", "19",
            "baselines.knn, baselines.linear, baselines.mlp single values",
        ),
        (
            study({"datasets": ["miniimagenet"], "baselines": True},
                  evaluation={"settings": [{"way": 17, "shot": 1}]},
                  baselines={"methods": ["linear"]}),
            "evaluation.settings.0.way", "17", "the val split of miniimagenet has 16 classes",
        ),
        # What is wrong with a default is a matter of the study's key that it does not fit.
        (
            study(data={"omniglot": {"train_characters": 1510}}),
            "study.yaml: data.omniglot.train_characters", "1510", "way, which is 20 by default",
        ),
        (
            study(synthetic_data=True, synthetic={"omniglot": {"drawers": 1}}),
            "study.yaml: synthetic.omniglot.drawers", "1", "use more data: 1 shot and 1 query",
        ),
        (maml("mnist", shot=10**4), "study.yaml: learners.maml.shot", "10000", "100050 images"),
        (maml("mnist", query=10**4, shot=1), "study.yaml: learners.maml.query", "10000", "lower"),
        (
            study(embeddings={"acai": {"latent_width": 32}}),
            "study.yaml: embeddings.acai.latent_width", "32", "working_size is 32",
        ),
        (
            study(embeddings={"deepcluster": {"channels": [1]}}),
            "study.yaml: embeddings.deepcluster.channels", "nothing", "set it, since it has",
        ),
        (
            study({"exclude": [{"learner": "maml"}]}),
            "study.yaml: grid.exclude",
            "0 patterns to include, 1 pattern to exclude", "keep at least one cell",
        ),
        (
            study(speed={"maml": {"cuda_graph": True, "kernel": "autograd"}}),
            "speed.maml.kernel", '"autograd"', "cuda_graph needs",
        ),
    ],
)  # fmt: skip
def test_cells_cannot_ask_for_more_than_there_is(values, key, got, limit):
    with pytest.raises(ConfigError) as caught:
        parse_config(values, "study.yaml")
    error = caught.value
    assert key in error.where
    assert "study.yaml" in error.where or "default" in error.where
    assert error.got == got
    assert limit in error.fix


@pytest.mark.parametrize(
    "values",
    [
        study({"datasets": ["miniimagenet"], "embeddings": ["deepcluster"]},
              embeddings={"deepcluster": {"first_stride": 2}}),
        study(embeddings={"deepcluster": {"first_stride": 9}}),  # the grid has no such embedding
        study(learners={"protonets": {"way": 10_000}}),
        study(learners={"maml": {"per_dataset": {"mnist": {"way": 500}}}}),
        study(partitions={"per_dataset": {"mnist": {"clusters": 10**6}}}),
        study(data={"celeba": {"train_attributes": 30}}),
        study(baselines={"cluster_matching": {"clusters": 10**6}}),  # the grid has no baselines
        study(data={"omniglot": {"val_characters": 19}}),
        study(  # a single value needs no validation episodes
            {"baselines": True},
            data={"omniglot": {"val_characters": 19}},
            baselines={"methods": ["knn", "cluster_matching"], "knn": {"neighbors": [1, 101]}},
        ),
        study(
            embeddings={
                "acai": {"working_size": 30, "per_dataset": {"omniglot": {"working_size": 32}}}
            }
        ),
    ],
)  # fmt: skip
def test_what_the_grid_leaves_out_may_not_fit(values):
    assert parse_config(values).expanded_grid.cells


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"mnist": {"train_images": 120, "test_images": 60}, "celeba": {"train_images": 90}},
        {"omniglot": {"drawers": 6}, "miniimagenet": {"images_per_class": 20}},
        {"celeba": {"val_images": 40, "test_images": 30}},
        {"omniglot": {"background_alphabets": 2, "evaluation_alphabets": 1, "characters": 7}},
        {"miniimagenet": {"train_classes": 3, "val_classes": 2, "test_classes": 3}},
    ],
)
def test_synthetic_data_alone_has_fitting_sizes(sizes):
    config = parse_config({"synthetic_data": True, "synthetic": sizes})
    assert len(config.expanded_grid.cells) == 32
    characters = SyntheticSettings.model_validate(sizes).omniglot
    total = (
        characters.background_alphabets + characters.evaluation_alphabets
    ) * characters.characters
    own = config.data.omniglot
    assert 0 < own.train_characters + own.val_characters < total


def test_a_studys_size_wins_over_that_of_synthetic_data():
    values = {"synthetic_data": True, "data": {"mnist": {"val_size": 700}}}
    assert parse_config(values).data.mnist.val_size == 700
    assert parse_config({"data": {}}).data.mnist.val_size == 10_000


@pytest.mark.parametrize(
    ("source", "what", "fix"),
    [
        ("random+p-1", "changes nothing", "it sets count; random reads random"),
        ("hyperplanes-acai+p-1", "changes nothing", "hyperplanes-acai reads hyperplanes"),
        (
            "acai+margin-0",
            "changes nothing",
            "it sets hyperplanes.margin; acai reads clusters",
        ),
        ("acai+x", "changes nothing", "it sets nothing; acai reads"),
        ("hyperplanes-acai+void", "changes nothing", "it sets nothing; hyperplanes-acai reads"),
        (
            "hyperplanes-acai+other",
            "changes nothing",
            "it sets hyperplanes.per_embedding.bigan.margin",
        ),
        ("random+7-way", "not be evaluated", "evaluation.settings has tasks of way 5, 20"),
    ],
)
def test_what_follows_the_base_of_a_source_has_an_effect(source, what, fix):
    other = {"hyperplanes": {"per_embedding": {"bigan": {"margin": 1.0}}}}
    variants = {"x": {}, "void": {"hyperplanes": {}}, "other": other}
    values = study({"controls": {"omniglot": [source]}}, partitions={"variants": variants})
    with pytest.raises(ConfigError, match=what) as error:
        parse_config(values)
    assert error.value.where.endswith("grid.controls.omniglot")
    assert error.value.got == source
    assert fix in error.value.fix


def test_a_variant_that_one_learner_reads_is_for_all():
    variants = {"best": {"protonets": {"n_init": 5}}}
    values = study({"controls": {"omniglot": ["acai+best"]}}, partitions={"variants": variants})
    assert len(parse_config(values).expanded_grid.cells) == 2


def test_the_error_of_a_variant_names_the_variants_key():
    values = study(
        {"controls": {"omniglot": ["acai+few"]}},
        partitions={"clusters": 40, "variants": {"few": {"clusters": 15}}},
        learners={"maml": {"way": 20}},
    )
    with pytest.raises(ConfigError) as error:
        parse_config(values)
    assert "partitions.variants.few.clusters = 15" in error.value.fix
