"""Building blocks of the typed configuration."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

DatasetName = Literal["mnist", "omniglot", "miniimagenet", "celeba"]
LearnerName = Literal["maml", "protonets"]
Precision = Literal["float32", "bfloat16"]

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
NonNegative = Annotated[float, Field(ge=0.0)]
Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]
Overrides = dict[DatasetName, dict[str, Any]]


def overrides(default: Callable[[], Overrides]) -> Any:
    """Declare the key `per_dataset` with its default."""
    text = "Values of this section's keys for single data sets."
    return Field(default_factory=default, description=text)


class Settings(BaseModel):
    """A section of the configuration: immutable, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DatasetSettings(Settings):
    """Settings that can be overridden for a data set, key by key, under `per_dataset`.

    Subclasses give every field a default, so that any subset of the keys is a valid override.
    """

    per_dataset: Overrides = overrides(dict)

    @model_validator(mode="after")
    def _overrides_are_valid(self) -> Self:
        for dataset in self.per_dataset:
            try:
                self.resolve(dataset)
            except ValidationError as error:
                first = error.errors()[0]
                key = ".".join(str(part) for part in first["loc"])
                raise ValueError(
                    f"per_dataset.{dataset}.{key}: {first['msg']}, got {first['input']!r}"
                ) from None
        return self

    def resolve(self, dataset: DatasetName) -> Self:
        """Return these settings for one data set, without `per_dataset`."""
        base = self.model_dump(exclude={"per_dataset"})
        resolved = merge(base, self.per_dataset.get(dataset, {}))
        return type(self).model_validate({**resolved, "per_dataset": {}})


def merge(base: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `override`, merging nested mappings key by key."""
    result = dict(base)
    for key, value in override.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merge(result[key], value) if both else value
    return result


def changed(parent: type[Settings], key: str, default: Any) -> Any:
    """Declare a key of the parent class again, with another default."""
    return Field(default=default, description=parent.model_fields[key].description)


def setting(default: Any, description: str, *, unit: str | None = None) -> Any:
    """Declare a configuration key with its default, description and unit."""
    text = f"{description} [{unit}]" if unit else description
    if isinstance(default, (dict, list)):
        return Field(default_factory=lambda: type(default)(default), description=text)
    return Field(default=default, description=text)
