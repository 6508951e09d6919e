from typing import Any

import pytest
from pydantic import ValidationError

from cactus.config.load import parse_config
from cactus.config.sections.embeddings.acai import AcaiSettings
from cactus.config.sections.embeddings.base import OwnCode
from cactus.config.sections.embeddings.bigan import BiganSettings
from cactus.config.sections.embeddings.contrastive import ContrastiveSettings
from cactus.config.sections.embeddings.deepcluster import DeepclusterSettings
from cactus.config.sections.embeddings.infogan import InfoganSettings
from cactus.config.sections.embeddings.section import (
    CustomEmbedding,
    EmbeddingSettings,
)
from cactus.embed.registry import parse
from cactus.errors import ConfigError

DATASETS = ("mnist", "omniglot", "miniimagenet", "celeba")


@pytest.mark.parametrize("name", ["acai", "bigan", "contrastive", "deepcluster", "infogan"])
@pytest.mark.parametrize("dataset", DATASETS)
def test_resolved_settings_survive_a_spec(name: str, dataset) -> None:
    resolved = EmbeddingSettings().resolve(name, dataset)
    assert resolved.per_dataset == {}
    values = resolved.model_dump(mode="json", exclude={"per_dataset"})
    assert parse(name, values) == resolved


def test_papers_dimensions() -> None:
    settings = EmbeddingSettings()
    for dataset in DATASETS:
        acai = settings.acai.resolve(dataset)
        assert acai.latent_channels * acai.latent_width**2 == 256
        assert settings.deepcluster.resolve(dataset).dims == 256
        assert settings.bigan.resolve(dataset).dims == (50 if dataset == "mnist" else 200)


def test_papers_training() -> None:
    assert AcaiSettings().iterations * 64 == 2**14 * 1024
    mnist = InfoganSettings().resolve("mnist")
    assert (mnist.noise, mnist.categorical, mnist.continuous) == (62, (10,), 2)
    assert DeepclusterSettings().resolve("miniimagenet").working_size == 64
    assert not DeepclusterSettings().resolve("omniglot").flip
    assert BiganSettings().resolve("mnist").encoder == "mlp"


def test_views_of_characters_and_photographs() -> None:
    settings = EmbeddingSettings().contrastive
    omniglot, mnist, photograph = (
        settings.resolve(name) for name in ("omniglot", "mnist", "miniimagenet")
    )
    assert omniglot.views.quarter_turns
    assert not mnist.views.quarter_turns
    assert omniglot.views.model_copy(update={"quarter_turns": False}) == mnist.views
    assert (mnist.views.rotation, mnist.views.elastic, mnist.views.flip) == (20, 0.045, False)
    assert (photograph.views.rotation, photograph.views.elastic) == (0, 0)
    assert photograph.views.flip
    assert photograph.views.jitter > 0
    assert photograph == settings.resolve("celeba")


def test_custom_embedding_round_trip() -> None:
    entry = {"module": "mine.py", "settings": {"dims": 3}}
    settings = EmbeddingSettings.model_validate({"custom": {"mine": entry}})
    assert settings.names == (
        "acai", "bigan", "contrastive", "deepcluster", "infogan", "mine",
    )  # fmt: skip
    assert settings.module("mine", "mnist") == "mine.py"
    assert parse("mine", entry) == OwnCode.model_validate(entry)


def test_one_like_another_has_its_settings_but_for_its_own() -> None:
    entry = {
        "like": "acai",
        "settings": {"iterations": 0},
        "per_dataset": {"celeba": {"settings": {"depth": 5}}},
    }
    values = {"acai": {"learning_rate": 0.5}, "custom": {"fresh": entry}}
    settings = EmbeddingSettings.model_validate(values)
    for dataset, own in (("mnist", {}), ("celeba", {"depth": 5})):
        usual = settings.acai.resolve(dataset).model_dump(exclude={"per_dataset"})
        resolved = settings.resolve("fresh", dataset)
        assert isinstance(resolved, CustomEmbedding)
        assert resolved.settings == usual | {"iterations": 0, "learning_rate": 0.5} | own
        assert resolved.module == "cactus.embed.acai"
        assert settings.shipped("fresh", dataset) == (
            "acai", AcaiSettings.model_validate(resolved.settings | {"per_dataset": {}}),
        )  # fmt: skip
    own_code = {"custom": {"mine": {"module": "mine.py"}}}
    assert EmbeddingSettings.model_validate(own_code).shipped("mine", "mnist") is None


@pytest.mark.parametrize(
    ("entry", "key", "fix"),
    [
        ({"like": "acia"}, "like", "did you mean 'acai'?"),
        ({"like": "acai", "module": "a.py"}, "module", "leave one"),
        ({"like": "acai", "files": ["a"]}, "files", "leave one"),
        ({"like": "acai", "settings": {"dept": 1}}, "settings.dept", "did you mean 'depth'?"),
        ({"like": "acai", "settings": {"per_dataset": {}}}, "settings.per_dataset", "its keys are"),
        ({"like": "acai", "settings": {"iterations": False}}, "settings.iterations", "integer"),
        ({"like": "acai", "settings": {"depth": "8"}}, "settings.depth", "remove the quotes"),
    ],
)
@pytest.mark.parametrize("used", ["mine", "acai"])  # in the grid, or not yet
def test_one_like_another_that_cannot_be_names_its_key(
    entry: dict[str, Any], key: str, fix: str, used: str
) -> None:
    grid = {"datasets": ["mnist"], "embeddings": [used]}
    with pytest.raises(ConfigError) as caught:
        parse_config({"grid": grid, "embeddings": {"custom": {"mine": entry}}})
    assert caught.value.where.endswith(f": embeddings.custom.mine.{key} (for mnist)")
    assert fix in caught.value.fix


@pytest.mark.parametrize("name", ["acai", "random", "scratch", "Mine", "single-mine", "a/b", ""])
def test_custom_names_that_are_taken_or_unfit(name: str) -> None:
    with pytest.raises(ValidationError, match="cannot name a custom embedding"):
        EmbeddingSettings.model_validate({"custom": {name: {"module": "mine.py"}}})


def test_unknown_embedding_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError) as caught:
        EmbeddingSettings().resolve("acia", "mnist")
    assert "did you mean 'acai'?" in caught.value.fix


@pytest.mark.parametrize(
    ("model", "values", "message"),
    [
        (AcaiSettings, {"working_size": 28}, "power of two"),
        (AcaiSettings, {"working_size": 32, "latent_width": 32}, "power of two"),
        (BiganSettings, {"raw_size": 32}, "smaller than working_size"),
        (BiganSettings, {"encoder": "mlp"}, "needs hidden units"),
        (BiganSettings, {"working_size": 10}, "halves working_size"),
        (BiganSettings, {"working_size": 66}, "halves working_size"),
        (BiganSettings, {"beta1": 1.0}, "less than 1"),
        (InfoganSettings, {"beta1": 1.0}, "less than 1"),
        (InfoganSettings, {"batch_size": 1}, "greater than or equal to 2"),
        (DeepclusterSettings, {"hidden": 100}, "larger than hidden"),
        (DeepclusterSettings, {"first_stride": 5}, "nothing is left"),
        (DeepclusterSettings, {"dropout": 1.0}, "less than 1"),
        (DeepclusterSettings, {"channels": [1, 2, 3]}, "channels"),
        (InfoganSettings, {"categorical": [], "continuous": 0}, "no code"),
        (InfoganSettings, {"categorical": [1]}, "at least two values"),
        (InfoganSettings, {"working_size": 27}, "multiple of 2"),
        (ContrastiveSettings, {"widths": []}, "at least 1"),
        (ContrastiveSettings, {"temperature": 0}, "greater than 0"),
        (ContrastiveSettings, {"views": {"rotation": 181}}, "less than or equal to 180"),
        (ContrastiveSettings, {"views": {"scale": 1}}, "less than 1"),
        (ContrastiveSettings, {"views": {"shear": -0.1}}, "greater than or equal to 0"),
        (ContrastiveSettings, {"views": {"crop_area_min": 0}}, "greater than 0"),
        (ContrastiveSettings, {"views": {"blur_sigma": -1}}, "greater than or equal to 0"),
        (ContrastiveSettings, {"views": {"grayscale": 1.5}}, "less than or equal to 1"),
        (ContrastiveSettings, {"views": {"rotate": 5}}, "rotate"),
    ],
)
def test_settings_that_do_not_fit(model, values: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        model.model_validate(values)
