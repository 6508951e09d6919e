"""Printed names of data sets, sources, methods and meta-learners, as a study calls them."""

from collections.abc import Iterable
from typing import Final, Self

from cactus.config.sections.base import BUILT_IN, Settings, setting
from cactus.config.sections.names import EMBEDDINGS, KINDS, LEARNERS, METHODS
from cactus.config.sections.source import Source
from cactus.config.sections.title import alike

_TRAINED: Final = {"cactus": "CACTUs", "oracle": "Oracle"}
_SYMBOLS: Final = {"p": "P", "k": "k"}  # of the paper, by the names of variants


class Titles(Settings):
    """The titles that a study gives what it adds, by name; other names are printed as they are.

    They enter the specs of stages that print, and no others.
    """

    datasets: dict[str, str] = setting({}, "Those of data sets.")
    embeddings: dict[str, str] = setting({}, "Those of embeddings.")
    learners: dict[str, str] = setting({}, "Those of meta-learners.")

    @classmethod
    def first_of(cls, several: Iterable["Titles"]) -> Self:
        """Return the titles of several runs; of two for one name, the first.

        A title that another name has already is left out.
        """
        found: dict[str, dict[str, str]] = {key: {} for key in cls.model_fields}
        for titles in several:
            for key, own in found.items():
                for name, title in getattr(titles, key).items():
                    if name not in own and alike(title) not in map(alike, own.values()):
                        own[name] = title
        return cls.model_validate(found)

    def dataset(self, name: str) -> str:
        """Return the printed name of a data set."""
        built_in = BUILT_IN[name].title if name in BUILT_IN else name
        return self.datasets.get(name, built_in)

    def source(self, name: str) -> str:
        """Return the printed name of a source of tasks, e.g. ``Hyperplanes (ACAI), margin 0``."""
        parsed = Source.parse(name)
        title = KINDS[parsed.kind]
        if parsed.embedding is not None:
            own = {**EMBEDDINGS, **self.embeddings}
            embedding = own.get(parsed.embedding, parsed.embedding)
            title = f"{title} ({embedding})" if title else embedding
        variant = [_variant_title(parsed.variant)] if parsed.variant else []
        return ", ".join([title, *variant, *([f"{parsed.way}-way"] if parsed.way else [])])

    def method(self, name: str) -> str:
        """Return the printed name of a method; that of a custom learner has the learner's."""
        kind, _, learner = name.partition("-")
        other = f"{_TRAINED[kind]}-{self.learner(learner)}" if kind in _TRAINED else name
        return METHODS.get(name, other)

    def learner(self, name: str) -> str:
        """Return the printed name of a meta-learner."""
        return {**LEARNERS, **self.learners}.get(name, name)

    def pair(self, source: str, method: str) -> str:
        """Return the printed names of a source and a method."""
        return f"{self.source(source)}, {self.method(method)}"

    def row(self, dataset: str, source: str, method: str) -> str:
        """Return the name of a row of results where several data sets may be meant."""
        return f"{self.dataset(dataset)}, {self.pair(source, method)}"


UNTITLED: Final = Titles()  # of a study that adds nothing, or gives no titles


def _variant_title(variant: str) -> str:
    """Return the printed name of a variant: ``k = 50`` for ``k-50``, else its words.

    Different names have different titles, so underscores stay.
    """
    name, _, number = variant.partition("-")
    if name in _SYMBOLS and number.isdigit():
        return f"{_SYMBOLS[name]} = {number}"
    return variant.replace("-", " ")
