"""Read configuration files, and explain what is wrong with them."""

import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from cactus.config.models import Config
from cactus.config.sections.base import DatasetSettings, merge
from cactus.errors import ConfigError, did_you_mean

# Keys of earlier versions, with their names today.
_RENAMED: Final = {
    "sample": "synthetic",
    "sample_data": "synthetic_data",
    "baselines.knn.neighbours": "baselines.knn.neighbors",
    "learners.maml.kernel": "speed.maml.kernel",
    "learners.maml.cuda_graph": "speed.maml.cuda_graph",
    "learners.maml.tasks_at_once": "speed.maml.tasks_at_once",
    "learners.maml.evaluation_tasks_at_once": "speed.maml.evaluation_tasks_at_once",
    "learners.protonets.evaluation_tasks_at_once": "speed.protonets.evaluation_tasks_at_once",
    "learners.protonets.images_at_once": "speed.protonets.images_at_once",
}


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that rejects duplicate keys, which YAML would silently overwrite."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        duplicate = next((key for index, key in enumerate(keys) if key in keys[:index]), None)
        if duplicate is not None:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key '{duplicate}' appears twice", node.start_mark
            )
        return super().construct_mapping(node, deep=deep)


def parse_config(values: Mapping[str, Any], where: str = "the configuration") -> Config:
    """Turn nested mappings into a `Config`.

    Raises
    ------
    ConfigError
        A key is unknown or a value is not valid; the message suggests the most similar one.
    """
    for path, known in _unknown_keys(Config, values, ()):
        raise _unknown(path, known, where)
    try:
        return Config.model_validate(merge(Config().model_dump(), dict(values)))
    except ValidationError as error:
        raise _explained(error, where) from error


def read_yaml(path: Path) -> dict[str, Any]:
    """Read the nested mappings of a YAML file.

    Raises
    ------
    ConfigError
        The file cannot be read or does not hold a mapping.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(
            "A configuration file cannot be read.",
            where=str(path),
            got=" ".join(str(error).split()),
            fix="pass the path of a YAML file; see config/config.yaml for an example",
        ) from error
    if not isinstance(values, dict):
        raise ConfigError(
            "A configuration file is not a mapping of keys to values.",
            where=str(path),
            got=type(values).__name__,
            fix="write 'key: value' lines; see config/config.yaml for an example",
        )
    return values


def _unknown(path: tuple[str, ...], known: list[str], where: str) -> ConfigError:
    place = f"{where}: {'.'.join(path)}"
    if name := _new_name(path):
        return ConfigError(
            "The configuration has a key that was renamed.",
            where=place,
            got=repr(path[-1]),
            fix=f"use its new name, `{name}`",
        )
    return ConfigError(
        "The configuration has an unknown key.",
        where=place,
        got=repr(path[-1]),
        fix=did_you_mean(path[-1], known, f"remove it; valid keys here are {', '.join(known)}"),
    )


def _new_name(path: tuple[str, ...]) -> str | None:
    """Return today's name of an old key; None if no version had it."""
    parts = list(path)
    start = parts.index("per_dataset") if "per_dataset" in parts else len(parts)
    dataset = parts[start : start + 2]  # "per_dataset" and the name of a data set
    del parts[start : start + 2]
    name = _RENAMED.get(".".join(parts))
    return (
        None
        if name is None
        else ".".join([*name.split(".")[:start], *dataset, *name.split(".")[start:]])
    )


def _unknown_keys(
    model: type[BaseModel], values: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield the path of every unknown key in `values`, with the keys that are valid there."""
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
    """Yield the models that `annotation` expects in `value`, each with its path and mapping."""
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


def _explained(error: ValidationError, where: str) -> ConfigError:
    first = error.errors()[0]
    expected = str(first.get("ctx", {}).get("expected", ""))
    options = re.findall(r"'(.*?)'", expected)
    message = first["msg"].removeprefix("Value error, ")
    more = error.error_count() - 1
    return ConfigError(
        "The configuration has a value that is not valid.",
        where=f"{where}: {'.'.join(str(part) for part in first['loc'])}",
        got=repr(first["input"])[:200],
        fix=f"{did_you_mean(str(first['input']), options)} {message}".lstrip()
        + (f" (and {more} more)" if more else ""),
    )
