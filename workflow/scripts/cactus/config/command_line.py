"""The keys that Snakemake's option ``--config`` sets."""

import json
from collections.abc import Iterable
from typing import Any, Final

from cactus.config.sections.base import merge
from cactus.config.yaml_file import parse_value
from cactus.errors import ConfigError

COMMAND_LINE: Final = "--config"
_OPTIONS: Final = ((COMMAND_LINE, "-C"), ("--configfile", "--configfiles"))


def parse_overrides(pairs: Iterable[str]) -> dict[str, Any]:
    """Read the values of ``--config KEY=VALUE ...``.

    Raises
    ------
    ConfigError
        An argument does not have this form, or its value is not valid YAML.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.replace("_", "").isalnum():
            raise ConfigError(
                "An argument of --config is not valid.",
                where=COMMAND_LINE,
                got=pair[:200] or "nothing",
                fix=f"write {on_the_command_line(key, text or '...')}"
                if "." in key
                else "write KEY=VALUE",
            )
        values = merge(values, {key: parse_value(text, f"{COMMAND_LINE} {key}")})
    return values


def refuse_repeats(arguments: Iterable[str]) -> None:
    """Check that the options of a study are not given twice: Snakemake would drop the first ones.

    Raises
    ------
    ConfigError
        One of them is.
    """
    given = [argument.partition("=")[0] for argument in arguments]
    for names in _OPTIONS:
        if sum(given.count(name) for name in names) > 1:
            raise ConfigError(
                "An option is given more than once, and only the last one would count.",
                where="the command line",
                got=names[0],
                fix=f"write all that belongs to it after a single {names[0]}",
            )


def on_the_command_line(key: str, value: Any) -> str:
    """Return the option that sets a dotted key."""
    first, text = by_level(key, value)
    return f"--config '{first}={text}'"


def by_level(key: str, value: Any) -> tuple[str, str]:
    """Return the first part of a dotted key, and YAML for what is below it."""
    first, *rest = key.split(".")
    text = value if isinstance(value, str) else json.dumps(value)
    for part in reversed(rest):
        text = f"{{{part}: {text}}}"
    return first, text
