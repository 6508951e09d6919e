"""Where the classes of meta-training tasks come from."""

import re
from dataclasses import dataclass
from typing import Literal, Self

from cactus.errors import ConfigError

SourceKind = Literal["kmeans", "single", "hyperplanes", "labels", "random", "pixels", "scratch"]
BARE_KINDS: tuple[SourceKind, ...] = ("labels", "random", "pixels", "scratch")
_EMBEDDING_KINDS: tuple[SourceKind, ...] = ("single", "hyperplanes")
SourceInput = Literal["embeddings", "images", "labels"]
NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Source:
    """Where the classes of meta-training tasks come from.

    Attributes
    ----------
    name
        As in the configuration and in result paths, e.g. ``single-acai``.
    kind
        How the training images are partitioned.
    embedding
        The embedding that is partitioned, or None.
    """

    name: str
    kind: SourceKind
    embedding: str | None

    @classmethod
    def parse(cls, name: str) -> Self:
        """Parse a source's name: an embedding, ``<kind>-<embedding>`` or a bare kind.

        Raises
        ------
        ConfigError
            The name does not have any of these forms.
        """
        for bare in BARE_KINDS:
            if name == bare:
                return cls(name, bare, None)
        for kind in _EMBEDDING_KINDS:
            if name.startswith(f"{kind}-"):
                return cls(name, kind, name.removeprefix(f"{kind}-"))
        if NAME_PATTERN.fullmatch(name):
            return cls(name, "kmeans", name)
        raise ConfigError(
            "The name of a task source is not valid.",
            where="grid.controls",
            got=repr(name),
            fix=f"use an embedding's name, one of {', '.join(BARE_KINDS)}, "
            f"or {' or '.join(f'{kind}-<embedding>' for kind in _EMBEDDING_KINDS)}",
        )

    @property
    def input(self) -> SourceInput:
        """The array of the training split from which partitions are made.

        Raises
        ------
        ConfigError
            The source has no partitions.
        """
        match self.kind:
            case "labels":
                return "labels"
            case "random" | "pixels":
                return "images"
            case "kmeans" | "single" | "hyperplanes":
                return "embeddings"
            case "scratch":
                raise self.without_partition()

    @property
    def by_kmeans(self) -> bool:
        """Whether the partitions are made by k-means."""
        return self.kind in ("kmeans", "single", "pixels")

    def without_partition(self) -> ConfigError:
        """Return the error for a request of partitions, which this source does not have."""
        return ConfigError(
            "Training from scratch does not use partitions.",
            where="the task source",
            got=repr(self.name),
            fix="evaluate this cell directly; it is not meta-trained",
        )
