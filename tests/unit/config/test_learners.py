import pytest
from pydantic import TypeAdapter, ValidationError

from cactus.config.sections.learners.maml import MamlSettings, ScratchSettings
from cactus.config.sections.learners.protonets import ProtonetsSettings
from cactus.config.sections.learners.section import LearnerSettings

DATASETS = ("mnist", "omniglot", "miniimagenet", "celeba")


@pytest.mark.parametrize(
    ("dataset", "way", "iterations"),
    [
        ("mnist", 10, 30_000),
        ("omniglot", 20, 30_000),
        ("miniimagenet", 5, 60_000),
        ("celeba", 2, 60_000),
    ],
)
def test_the_papers_values(dataset, way, iterations):
    maml = LearnerSettings().resolve("maml", dataset)
    protonets = LearnerSettings().resolve("protonets", dataset)
    for settings in (maml, protonets):
        assert (settings.way, settings.shot, settings.iterations) == (way, 1, iterations)
        assert settings.outer_lr == 0.001
    assert (maml.query, maml.tasks_per_batch, maml.filters) == (5, 8, 32)
    assert (maml.inner_lr, maml.inner_steps, maml.evaluation_steps) == (0.05, 5, 50)
    assert not maml.first_order
    assert (protonets.query, protonets.tasks_per_batch, protonets.filters) == (15, 1, 64)
    large = dataset in ("miniimagenet", "celeba")
    assert maml.downsampling == ("max_pool" if large else "stride")
    assert maml.head == ("flatten" if large else "spatial_mean")
    assert maml.head_init == ("xavier" if large else "normal")
    assert maml.gradient_clip == (10.0 if large else None)
    assert protonets.gradient_clip is None


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("name", ["maml", "protonets"])
def test_resolved_settings_survive_json_and_keep_their_type(dataset, name):
    settings = LearnerSettings().resolve(name, dataset)
    text = settings.model_dump_json()
    read = TypeAdapter(MamlSettings | ProtonetsSettings).validate_json(text)
    assert type(read) is type(settings)
    assert read == settings
    assert read.per_dataset == {}


def test_only_the_oracle_has_its_own_number_of_iterations():
    settings = LearnerSettings()
    assert settings.resolve("maml", "omniglot", "labels").iterations == 120_000
    assert settings.resolve("maml", "omniglot", "acai").iterations == 30_000
    assert settings.resolve("maml", "miniimagenet", "labels").iterations == 60_000
    assert settings.resolve("protonets", "omniglot", "labels").iterations == 30_000
    settings = LearnerSettings.model_validate({"protonets": {"oracle_iterations": 7}})
    assert settings.resolve("protonets", "omniglot", "labels").iterations == 7
    assert settings.resolve("protonets", "omniglot", "acai").iterations == 30_000


def test_a_dataset_overrides_a_nested_key_alone():
    settings = LearnerSettings().resolve("maml", "celeba")
    assert (settings.validation.way, settings.validation.shot) == (2, 5)
    assert settings.validation.tasks == 100


def test_scratch_replaces_what_evaluation_does_and_nothing_else():
    maml = LearnerSettings().resolve("maml", "omniglot")
    scratch = ScratchSettings(steps=40).apply(maml)
    assert (scratch.inner_lr, scratch.evaluation_steps, scratch.iterations) == (0.1, 40, 0)
    same = scratch.model_copy(
        update={"inner_lr": 0.05, "evaluation_steps": 50, "iterations": 30_000}
    )
    assert same == maml


@pytest.mark.parametrize(
    "values",
    [
        {"maml": {"iner_lr": 0.1}},
        {"maml": {"inner_lr": 0}},
        {"protonets": {"inner_lr": 0.1}},
        {"maml": {"validation": {"every": 0}}},
    ],
)
def test_bad_values_are_refused(values):
    with pytest.raises(ValidationError):
        LearnerSettings.model_validate(values)
