"""Read configuration files and explain what is wrong with them."""

import difflib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from cactus.config.base import DatasetSettings, merge
from cactus.config.models import Config
from cactus.errors import ConfigError


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice, which YAML would silently overwrite."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = next((key for index, key in enumerate(keys) if key in keys[:index]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key '{twice}' is given twice", node.start_mark
            )
        return super().construct_mapping(node, deep=deep)


def load_config(*paths: Path) -> Config:
    """Read one or more YAML files, the later ones overriding the earlier key by key.

    Raises
    ------
    ConfigError
        A file cannot be read, a key is unknown or a value is not valid.
    """
    values: dict[str, Any] = {}
    for path in paths:
        values = merge(values, read_yaml(path))
    return parse_config(values, where=", ".join(str(path) for path in paths))


def parse_config(values: Mapping[str, Any], where: str = "the configuration") -> Config:
    """Turn nested mappings into a `Config`.

    Raises
    ------
    ConfigError
        A key is unknown (with the nearest known ones) or a value is not valid.
    """
    for path, known in _unknown_keys(Config, values, ()):
        raise ConfigError(
            "The configuration has an unknown key.",
            where=f"{where}: {'.'.join(path)}",
            got=repr(path[-1]),
            fix=_suggestion(path[-1], known),
        )
    try:
        return Config.model_validate(merge(Config().model_dump(), dict(values)))
    except ValidationError as error:
        raise _explained(error, where) from error


def read_yaml(path: Path) -> dict[str, Any]:
    """Read the nested mappings of a YAML file.

    Raises
    ------
    ConfigError
        The file cannot be read or holds no mapping.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(
            "A configuration file cannot be read.",
            where=str(path),
            got=" ".join(str(error).split()),
            fix="give the path of a YAML file; config/config.yaml is an example",
        ) from error
    if not isinstance(values, dict):
        raise ConfigError(
            "A configuration file holds no mapping of keys.",
            where=str(path),
            got=type(values).__name__,
            fix="write 'key: value' lines; config/config.yaml is an example",
        )
    return values


def _unknown_keys(
    model: type[BaseModel], values: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield the path of every unknown key below `values`, with the keys known there."""
    for key, value in values.items():
        here = (*path, str(key))
        if key not in model.model_fields:
            yield here, list(model.model_fields)
        elif key == "per_dataset" and issubclass(model, DatasetSettings):
            for dataset, override in value.items() if isinstance(value, dict) else ():
                if isinstance(override, dict):
                    yield from _unknown_keys(model, override, (*here, str(dataset)))
        else:
            for child, child_path, child_values in _children(
                model.model_fields[key].annotation, here, value
            ):
                yield from _unknown_keys(child, child_values, child_path)


def _children(
    annotation: Any, path: tuple[str, ...], value: Any
) -> Iterator[tuple[type[BaseModel], tuple[str, ...], Mapping[str, Any]]]:
    """Yield the models that `value` should hold by its annotation, each with its mapping."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if isinstance(value, dict):
            yield annotation, path, value
    elif get_origin(annotation) is list and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _children(get_args(annotation)[0], (*path, str(index)), item)
    elif get_origin(annotation) is dict and isinstance(value, dict):
        for key, item in value.items():
            yield from _children(get_args(annotation)[1], (*path, str(key)), item)
    elif get_origin(annotation) in (Union, types.UnionType):
        for option in get_args(annotation):
            yield from _children(option, path, value)


def nested_models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that occur in a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from nested_models(argument)


def _suggestion(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"remove it; the keys known here are {', '.join(known)}"


def _explained(error: ValidationError, where: str) -> ConfigError:
    first = error.errors()[0]
    expected = str(first.get("ctx", {}).get("expected", ""))
    options = [option.strip("' ") for option in expected.replace(" or ", ",").split(",")]
    near = difflib.get_close_matches(str(first["input"]), options, n=1)
    more = error.error_count() - 1
    return ConfigError(
        "The configuration has a value that is not valid.",
        where=f"{where}: {'.'.join(str(part) for part in first['loc'])}",
        got=repr(first["input"])[:200],
        fix=(f"did you mean '{near[0]}'? " if near else "")
        + first["msg"].removeprefix("Value error, ")
        + (f" (and {more} more)" if more else ""),
    )
