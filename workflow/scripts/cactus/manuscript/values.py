"""Values of the configuration as a reader sees them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cactus.config.printed.titles import UNTITLED, Titles
from cactus.config.sections.names import EMBEDDINGS
from cactus.manuscript.protocol import PLACEHOLDER, first_value


def by_name(values: Mapping[str, Any], per: Sequence[str], titles: Titles = UNTITLED) -> str:
    """Return values with the names that have them, or one value that all have."""
    texts: dict[str, list[str]] = {}
    for name, value in values.items():
        texts.setdefault(shown_value(value), []).append(name)
    if len(texts) == 1 and len(values) == len(per):
        return next(iter(texts))
    return (
        "; ".join(f"{names_of(names, per, titles)}: {text}" for text, names in texts.items()) or "-"
    )


def names_of(names: Sequence[str], per: Sequence[str], titles: Titles = UNTITLED) -> str:
    """Return the titles of some of the data sets or embeddings `per`; ``all`` of all of them."""
    if list(names) == list(per):
        return "all"
    return ", ".join(EMBEDDINGS.get(one) or titles.dataset(one) for one in names)


def shown_value(value: Any) -> str:
    """Return one value as text."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:g}"
        case {"way": way, "shot": shot}:
            return f"{way}-way {shot}-shot"
        case dict():
            return ", ".join(f"{key} {shown_value(one)}" for key, one in value.items()) or "none"
        case list():
            return ", ".join(map(shown_value, value)) or "none"
    return str(value)


def filled_in(
    settings: Mapping[str, Any], text: str, per: Sequence[str], titles: Titles = UNTITLED
) -> str:
    """Return a text with the values of the keys that it has in braces."""

    def value(match: re.Match[str]) -> str:
        key, name = match.groups()
        names = [name] if name else per
        return by_name({one: first_value(settings, [key], one) for one in names}, names, titles)

    return PLACEHOLDER.sub(value, text)
