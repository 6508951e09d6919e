"""Settings of all embeddings: the four of the paper and those that users add."""

import difflib
from typing import Any, Self

from pydantic import Field, model_validator

from cactus.config.base import DatasetName, DatasetSettings, Settings, setting
from cactus.config.embedding_methods import (
    AcaiSettings,
    BiganSettings,
    DeepclusterSettings,
    InfoganSettings,
)
from cactus.config.source import NAME_PATTERN, Source
from cactus.errors import ConfigError


class CustomEmbedding(DatasetSettings):
    """An embedding of your own; see docs/adding-an-embedding.md."""

    module: str = Field(
        description="Python module with the classes `Method` and `Settings`: a dotted name, or the "
        "path of a .py file."
    )
    settings: dict[str, Any] = setting({}, "Keys of the module's `Settings`.")


AnyEmbedding = (
    AcaiSettings | BiganSettings | DeepclusterSettings | InfoganSettings | CustomEmbedding
)

_METHODS: dict[str, type[AnyEmbedding]] = {
    "acai": AcaiSettings,
    "bigan": BiganSettings,
    "deepcluster": DeepclusterSettings,
    "infogan": InfoganSettings,
}


class EmbeddingSettings(Settings):
    """All embeddings."""

    acai: AcaiSettings = AcaiSettings()
    bigan: BiganSettings = BiganSettings()
    deepcluster: DeepclusterSettings = DeepclusterSettings()
    infogan: InfoganSettings = InfoganSettings()
    custom: dict[str, CustomEmbedding] = setting({}, "Further embeddings by name.")

    @model_validator(mode="after")
    def _custom_names_are_free(self) -> Self:
        for name in self.custom:
            if not _is_free(name):
                raise ValueError(
                    f"'{name}' cannot name a custom embedding; use lower-case letters, digits and "
                    "underscores, and no name that the grid knows already"
                )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names that the grid may use."""
        return (*_METHODS, *self.custom)

    def resolve(self, name: str, dataset: DatasetName) -> AnyEmbedding:
        """Return the settings of one embedding as they hold for one data set.

        Raises
        ------
        ConfigError
            No embedding has that name.
        """
        if name not in self.names:
            near = difflib.get_close_matches(name, self.names, n=1)
            raise ConfigError(
                "There is no such embedding.",
                where="embeddings",
                got=repr(name),
                fix=(f"did you mean '{near[0]}'? " if near else "")
                + f"known are {', '.join(self.names)}; add others under embeddings.custom",
            )
        method: AnyEmbedding = self.custom[name] if name in self.custom else getattr(self, name)
        return method.resolve(dataset)


def _is_free(name: str) -> bool:
    """Say whether the grid takes `name` for an embedding and none has it yet."""
    proper = NAME_PATTERN.fullmatch(name) is not None
    return proper and name not in _METHODS and Source.parse(name).kind == "kmeans"


def parse_embedding(name: str, values: dict[str, Any]) -> AnyEmbedding:
    """Turn the resolved settings of one embedding, as a mapping, into their class again."""
    model = _METHODS.get(name, CustomEmbedding)
    return model.model_validate({**values, "per_dataset": {}})
