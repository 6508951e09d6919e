"""Titles that a study gives what it adds: what they may be."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from cactus.config.sections.base import Overrides, UnfitError, setting

# Greek and Cyrillic letters that look like Latin ones.
_LATIN: Final = str.maketrans(
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοАВЕКМНОРСТУХаеорсухіјѕ",  # noqa: RUF001
    "ABEZHIKMNOPTYXoABEKMHOPCTYXaeopcyxijs",
)
_MAX_TITLE: Final = 60
# Figures would read `$` and backslashes as mathematics, and leave `_...` out of legends.
TITLE_PATTERN: Final = r"^[^\s$\\_][^$\\\x00-\x1f]*$"
Title = Annotated[str, Field(pattern=TITLE_PATTERN, max_length=_MAX_TITLE)]


def title_setting() -> Any:
    """Declare the key `title`."""
    return setting(None, "Its name in tables and figures; null for its key.")


def alike(title: str) -> str:
    """Return the same text for titles that a reader could take for each other."""
    latin = unicodedata.normalize("NFKC", title).translate(_LATIN)
    return " ".join(latin.casefold().split())


def refuse_equal_titles(what: str, titles: Mapping[str, str | None], taken: Iterable[str]) -> None:
    """Raise an error if something has a title of its kind that another one has.

    Parameters
    ----------
    what
        What has titles, e.g. "data set".
    titles
        The titles under `custom`, by name; None for the name itself.
    taken
        Those of what is built in.
    """
    shown = {name: alike(title or name) for name, title in titles.items()}
    owners = [(f"the built-in {title}", alike(title)) for title in taken]
    owners += [(f"'{name}'", text) for name, text in shown.items()]
    for name in sorted(shown, key=lambda one: titles[one] is None):  # a name is no choice of words
        others = [who for who, text in owners if text == shown[name] and who != f"'{name}'"]
        if others:
            message = f"this {what} reads like {others[0]} in tables; give it a title of its own"
            raise UnfitError(f"custom.{name}", message, "title" if titles[name] else None)


def refuse_titles_of_datasets(per_dataset: Overrides) -> None:
    """Raise an error if a title would be another one for some data set."""
    for dataset, values in per_dataset.items():
        if "title" in values:
            message = "a title is that for all data sets; set it beside `per_dataset`"
            raise UnfitError(f"per_dataset.{dataset}", message, "title")
