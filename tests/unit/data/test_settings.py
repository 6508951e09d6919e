import pytest
from pydantic import ValidationError

from cactus.config.sections.data.section import CelebaData, DataSettings


def fields(model):
    for name, field in model.model_fields.items():
        yield name, field
        if hasattr(field.annotation, "model_fields"):
            yield from fields(field.annotation)


def test_every_key_is_described():
    assert all(len(field.description or "") > 4 for _, field in fields(DataSettings))


def test_paper_values_are_the_defaults():
    settings = DataSettings()
    assert (settings.omniglot.train_characters, settings.omniglot.val_characters) == (1100, 100)
    assert (settings.miniimagenet.image_size, settings.celeba.image_size) == (84, 84)
    assert (settings.celeba.train_attributes, settings.celeba.val_attributes) == (20, 10)


def test_test_tasks_need_three_attributes():
    CelebaData(train_attributes=27, val_attributes=10)
    with pytest.raises(ValidationError, match="leave 2 of 40"):
        CelebaData(train_attributes=28, val_attributes=10)


def test_unknown_keys_are_refused():
    with pytest.raises(ValidationError):
        DataSettings.model_validate({"omniglot": {"rotations": 4}})
