"""Settings of all embeddings: the paper's four, a contrastive one and those that users add."""

import json
from typing import Final, Self

from pydantic import model_validator

from cactus.config.sections.base import (
    MAX_NAME,
    DatasetName,
    Settings,
    UnfitError,
    fitting,
    merge,
    setting,
)
from cactus.config.sections.embeddings.acai import AcaiSettings
from cactus.config.sections.embeddings.base import OwnCode
from cactus.config.sections.embeddings.bigan import BiganSettings
from cactus.config.sections.embeddings.contrastive import ContrastiveSettings
from cactus.config.sections.embeddings.deepcluster import DeepclusterSettings
from cactus.config.sections.embeddings.infogan import InfoganSettings
from cactus.config.sections.embeddings.ready_vectors import ReadyVectors
from cactus.config.sections.names import EMBEDDINGS, KINDS
from cactus.config.sections.source import NAME_PATTERN, Source
from cactus.config.sections.title import (
    Title,
    refuse_equal_titles,
    refuse_titles_of_datasets,
    title_setting,
)
from cactus.errors import ConfigError, did_you_mean

READY_MADE: Final = "cactus.embed.ready_made.method"
_ORIGINS: Final = {"module", "vectors", "like"}
_REQUIRED: Final = "`module`, `vectors` or `like` is required"


class CustomEmbedding(OwnCode):
    """A custom embedding; see docs/adding-an-embedding.md."""

    vectors: ReadyVectors | None = setting(
        None, "Files of vectors that were made elsewhere, in place of a module."
    )
    like: str = setting(
        "",
        "A shipped embedding, in place of a module: this one has the settings of that one, but for "
        "those under `settings`.",
    )
    title: Title | None = title_setting()
    files: list[str] = setting(
        [],
        "Data files that the module reads: paths, folders and patterns like `vectors/*.npy`, from "
        "the folder in which Snakemake starts. A changed file makes the embedding stale, and a job "
        "that opens an undeclared one is refused.",
    )

    def resolve(self, dataset: DatasetName) -> Self:
        """Return the settings for a data set; ready-made vectors become those of a module."""
        own = super().resolve(dataset)
        if own.vectors is None:
            return own
        reading = {"module": READY_MADE, "settings": own.vectors.model_dump(), "vectors": None}
        return own.model_copy(update={**reading, "files": own.vectors.files})

    def reads_names(self, dataset: DatasetName) -> bool:
        """Return whether ready-made vectors belong to a data set's images by their names."""
        vectors = super().resolve(dataset).vectors
        return vectors is not None and vectors.by_names

    @model_validator(mode="after")
    def _say_where_vectors_come_from(self) -> Self:
        given = [self.model_dump(include=_ORIGINS), *self.per_dataset.values()]
        if not any(one.get(key) for one in given for key in _ORIGINS):
            raise UnfitError("module", _REQUIRED)
        refuse_titles_of_datasets(self.per_dataset)
        return self

    @fitting
    def _come_from_one_place(self) -> None:
        excluded = {"vectors": ("module", "like", "settings", "files"), "like": ("module", "files")}
        for one, key in ((one, key) for one, others in excluded.items() for key in others):
            if getattr(self, one) and getattr(self, key):
                raise UnfitError(key, f"`{key}` does not go with `{one}`; leave one of them out")
        if not (self.vectors or self.module or self.like):
            raise UnfitError("module", f"{_REQUIRED} for this data set")
        if self.like and self.like not in _METHODS:
            known = f"the shipped embeddings are {', '.join(_METHODS)}"
            raise UnfitError("like", f"{did_you_mean(self.like, _METHODS)} {known}".lstrip())


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
        titles = {name: one.title for name, one in self.custom.items()}
        refuse_equal_titles(
            "embedding", titles, [*EMBEDDINGS.values(), *filter(None, KINDS.values())]
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
        found = self.shipped(name, dataset)
        if found is None:
            return self.custom[name].resolve(dataset)
        method, settings = found
        if method == name:
            return settings
        update = {
            "module": f"cactus.embed.{method}",
            "settings": settings.model_dump(exclude={"per_dataset"}),
            "like": "",
        }
        return self.custom[name].resolve(dataset).model_copy(update=update)

    def shipped(self, name: str, dataset: DatasetName) -> tuple[str, AnyEmbedding] | None:
        """Return the shipped method that makes an embedding, and its settings for a data set.

        None if the embedding has code or vectors of its own.
        """
        if name not in self.custom:
            return name, self._of_method(name, dataset).as_read()
        own = self.custom[name].resolve(dataset)
        if not own.like:
            return None
        base = self._of_method(own.like, dataset)
        values = {**merge(base.model_dump(), own.settings), "per_dataset": {}}
        settings = type(base).model_validate_json(json.dumps(values), strict=True)
        return own.like, settings.as_read()

    def module(self, name: str, dataset: DatasetName) -> str:
        """Return the module of an embedding: a dotted name, or the path of a file."""
        settings = self.resolve(name, dataset)
        return settings.module if isinstance(settings, OwnCode) else f"cactus.embed.{name}"

    def keys(self, method: str) -> tuple[str, ...]:
        """Return the keys of a shipped embedding that one like it can set."""
        return tuple(key for key in _METHODS[method].model_fields if key != "per_dataset")

    def _of_method(self, method: str, dataset: DatasetName) -> AnyEmbedding:
        settings: AnyEmbedding = getattr(self, method)
        return settings.resolve(dataset)


def _is_free(name: str) -> bool:
    """Return whether the grid accepts `name` for an embedding and no other has it."""
    valid = len(name) <= MAX_NAME and NAME_PATTERN.fullmatch(name) is not None
    return valid and name not in _METHODS and Source.parse(name).kind == "kmeans"
