"""Building blocks of the typed configuration."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from cactus.errors import did_you_mean


class BuiltIn(NamedTuple):
    """A data set of the paper: its printed name, its channels, and classes of a training task."""

    title: str
    channels: int
    way: int  # in the original, whatever the setting of the evaluation
    varied: bool = False  # whether data sets of one's own may be variants of it


# In the order of the paper's tables. Others are declared under `data.custom`.
BUILT_IN: Final = {
    "mnist": BuiltIn("MNIST", 1, 10),
    "omniglot": BuiltIn("Omniglot", 1, 20, varied=True),
    "miniimagenet": BuiltIn("miniImageNet", 3, 5),
    "celeba": BuiltIn("CelebA", 3, 2),
}
Precision = Literal["float32", "bfloat16"]

# Of a run or an embedding: it becomes part of the names of files, which file systems limit to 255.
MAX_NAME: Final = 100
RUN_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]*$"

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
NonNegative = Annotated[float, Field(ge=0.0)]
Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Settings(BaseModel):
    """A section of the configuration: immutable, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @property
    def unread(self) -> frozenset[str]:
        """Keys that nothing reads, because of the values of others."""
        return frozenset()

    def as_read(self) -> Self:
        """Return these settings with the defaults of all keys that nothing reads."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        own = {name: one.as_read() for name, one in values.items() if isinstance(one, Settings)}
        default = type(self).model_fields
        own |= {name: default[name].get_default(call_default_factory=True) for name in self.unread}
        return self.model_copy(update=own)


class UnfitError(ValueError):
    """A value that does not fit the others, or that cannot be.

    Parameters
    ----------
    key
        The value's key, relative to the section; dotted if it is nested, empty for all of it.
    message
        What does not fit, and what would.
    name
        A name below the key, in which dots mean nothing.
    """

    def __init__(self, key: str, message: str, name: str | None = None) -> None:
        parts = (int(part) if part.isdigit() else part for part in key.split(".") if part)
        self.path = (*parts, *(() if name is None else (name,)))
        super().__init__(message)


def fitting(check: Callable[[Any], None]) -> Any:
    """Declare that a method checks values against each other, once they are those of a job."""

    def validated(self: Settings, info: ValidationInfo) -> Settings:
        if not info.context or _UNRESOLVED not in info.context:
            check(self)
        return self

    return model_validator(mode="after")(validated)


def refuse_repeats(key: str, values: Sequence[Any], *, may_be_empty: bool = False) -> None:
    """Raise an error if a list has a value twice, or is empty."""
    if not values and not may_be_empty:
        raise UnfitError(key, f"`{key}` is empty; name at least one value")
    seen: set[Any] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise UnfitError(f"{key}.{index}", f"`{key}` repeats a value; remove one of them")
        seen.add(value)


# In the context of a validation: values are those of a whole section, so that not all of them meet
# in one job, as those of a data set may differ; and the names of all data sets.
_UNRESOLVED, _DATASETS = "unresolved", "datasets"


def whole_section(datasets: Sequence[str]) -> dict[str, Any]:
    """Return the context in which a section is validated that is not resolved for a data set."""
    return {_UNRESOLVED: True, _DATASETS: datasets}


def _known(name: str, info: ValidationInfo) -> str:
    """Refuse the name of a data set that the configuration does not have."""
    known = info.context[_DATASETS] if info.context else ()
    if known and name not in known:
        listed = f"the data sets are {', '.join(known)} (add others under data.custom)"
        raise UnfitError("", f"{did_you_mean(name, known)} {listed}".lstrip())
    return name


_SCHEMA: Final = {
    "anyOf": [{"enum": list(BUILT_IN)}, {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}]
}
DatasetName = Annotated[str, AfterValidator(_known), WithJsonSchema(_SCHEMA)]
Overrides = dict[DatasetName, dict[str, Any]]


def overrides(default: Callable[[], Overrides]) -> Any:
    """Declare the key `per_dataset` with its default."""
    text = "Values of this section's keys for single data sets."
    return Field(default_factory=default, description=text)


class DatasetSettings(Settings):
    """Settings that can be overridden for a data set, key by key, under `per_dataset`.

    Subclasses give every field a default, so that any subset of the keys is a valid override.
    """

    per_dataset: Overrides = overrides(dict)

    def resolve(self, dataset: DatasetName) -> Self:
        """Return these settings for one data set, without `per_dataset`."""
        base = self.model_dump(exclude={"per_dataset"})
        resolved = merge(base, self.per_dataset.get(dataset, {}))
        return type(self).model_validate({**resolved, "per_dataset": {}})


# Keys that hold values of their section's keys for some data sets, embeddings or task sources. To
# those of the first two, a study's plain values do not yield; to variants, everything does.
PER_NAME: Final = ("per_dataset", "per_embedding")
VARIANTS: Final = "variants"
OVERRIDING: Final = (*PER_NAME, VARIANTS)


def merge(base: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `override`, merging nested mappings key by key.

    A plain value of `override` also wins over what `base` has for single data sets.
    """
    result = dict(base)
    plain = {key: value for key, value in override.items() if key not in OVERRIDING}
    for key in PER_NAME:
        if isinstance(result.get(key), dict):
            result[key] = {name: _without(one, plain) for name, one in result[key].items()}
    for key, value in override.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merge(result[key], value) if both else value
    return result


def _without(values: Any, keys: dict[str, Any]) -> Any:
    """Return nested mappings without the values that `keys` has, too."""
    if not isinstance(values, dict):
        return values
    kept = {}
    for key, value in values.items():
        if key not in keys:
            kept[key] = value
        elif isinstance(value, dict) and isinstance(keys[key], dict):
            kept[key] = _without(value, keys[key])
    return {key: value for key, value in kept.items() if value != {} or values[key] == {}}


def names_a_module(settings: Mapping[str, Any]) -> bool:
    """Return whether settings, as a plan has them, are those of a module of users."""
    return "module" in settings


def changed(parent: type[Settings], key: str, default: Any) -> Any:
    """Declare a key of the parent class again, with another default."""
    return Field(default=default, description=parent.model_fields[key].description)


def setting(default: Any, description: str, *, unit: str | None = None) -> Any:
    """Declare a configuration key with its default, description and unit."""
    text = f"{description} [{unit}]" if unit else description
    if isinstance(default, (dict, list)):
        return Field(default_factory=lambda: type(default)(default), description=text)
    return Field(default=default, description=text)
