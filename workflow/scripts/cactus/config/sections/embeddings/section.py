"""Settings of all embeddings: the paper's four, a contrastive one and those that users add."""

from typing import Any, Self

from pydantic import Field, model_validator

from cactus.config.sections.base import (
    MAX_NAME,
    DatasetName,
    DatasetSettings,
    Settings,
    UnfitError,
    setting,
)
from cactus.config.sections.embeddings.acai import AcaiSettings
from cactus.config.sections.embeddings.bigan import BiganSettings
from cactus.config.sections.embeddings.contrastive import ContrastiveSettings
from cactus.config.sections.embeddings.deepcluster import DeepclusterSettings
from cactus.config.sections.embeddings.infogan import InfoganSettings
from cactus.config.sections.source import NAME_PATTERN, Source
from cactus.errors import ConfigError, did_you_mean


class CustomEmbedding(DatasetSettings):
    """A custom embedding; see docs/adding-an-embedding.md."""

    module: str = Field(
        description="Python module with the classes `Method` and `Settings`: a dotted name, or the "
        "path of a .py file."
    )
    settings: dict[str, Any] = setting({}, "Keys of the module's `Settings`.")
    files: list[str] = setting(
        [],
        "Data files that the module reads: paths, folders and patterns like `vectors/*.npy`, from "
        "the folder in which Snakemake starts. A changed file makes the embedding stale, and a job "
        "that opens an undeclared one is refused.",
    )


AnyEmbedding = (
    AcaiSettings
    | BiganSettings
    | ContrastiveSettings
    | DeepclusterSettings
    | InfoganSettings
    | CustomEmbedding
)

_METHODS: dict[str, type[AnyEmbedding]] = {
    "acai": AcaiSettings,
    "bigan": BiganSettings,
    "contrastive": ContrastiveSettings,
    "deepcluster": DeepclusterSettings,
    "infogan": InfoganSettings,
}


class EmbeddingSettings(Settings):
    """All embeddings."""

    acai: AcaiSettings = AcaiSettings()
    bigan: BiganSettings = BiganSettings()
    contrastive: ContrastiveSettings = ContrastiveSettings()
    deepcluster: DeepclusterSettings = DeepclusterSettings()
    infogan: InfoganSettings = InfoganSettings()
    custom: dict[str, CustomEmbedding] = setting({}, "Custom embeddings, by name.")

    @model_validator(mode="after")
    def _custom_names_are_free(self) -> Self:
        for name in self.custom:
            if not _is_free(name):
                raise UnfitError(
                    "custom",
                    f"'{name[:100]}' cannot name a custom embedding; use at most {MAX_NAME} "
                    "lowercase letters, digits and underscores, and a name that the grid does not "
                    "use yet",
                    name,
                )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names that the grid can use."""
        return (*_METHODS, *self.custom)

    def resolve(self, name: str, dataset: DatasetName) -> AnyEmbedding:
        """Return the settings of one embedding for one data set.

        Raises
        ------
        ConfigError
            There is no embedding of that name.
        """
        if name not in self.names:
            known = f"known embeddings: {', '.join(self.names)}; add others under embeddings.custom"
            raise ConfigError(
                "Unknown embedding.",
                where="embeddings",
                got=repr(name),
                fix=f"{did_you_mean(name, self.names)} {known}".lstrip(),
            )
        method: AnyEmbedding = self.custom[name] if name in self.custom else getattr(self, name)
        return method.resolve(dataset)


def _is_free(name: str) -> bool:
    """Return whether the grid accepts `name` for an embedding and no other has it."""
    valid = len(name) <= MAX_NAME and NAME_PATTERN.fullmatch(name) is not None
    return valid and name not in _METHODS and Source.parse(name).kind == "kmeans"


def parse_embedding(name: str, values: dict[str, Any]) -> AnyEmbedding:
    """Rebuild the settings class of one embedding from its resolved settings as a mapping."""
    model = _METHODS.get(name, CustomEmbedding)
    return model.model_validate({**values, "per_dataset": {}})
