"""Explain what is wrong with the values of a configuration."""

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from cactus.config.command_line import by_level, on_the_command_line
from cactus.config.layers import MISSING, Layers, value_at
from cactus.config.models import Config
from cactus.config.scalars import plain_scalar
from cactus.config.sections.base import BUILT_IN, OVERRIDING, DatasetName, UnfitError
from cactus.config.words import shown, type_text
from cactus.config.yaml_file import KeyPath
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

# Words for a value that is no misspelling of it.
_SYNONYMS: Final = {"gpu": "cuda"}
# Pydantic's names of types in unions.
_TYPE_NAMES: Final = {"int", "float", "constrained-int", "constrained-float"}


def unknown_keys(
    annotation: Any,
    value: Any,
    path: KeyPath = (),
    *,
    datasets: Sequence[str],
    nested: bool = False,
) -> Iterator[tuple[KeyPath, list[str]]]:
    """Yield the path of every unknown key in a value, with the keys that are known there.

    Parameters
    ----------
    annotation
        The value's type.
    value
        Nested mappings and lists.
    path
        The value's own path.
    datasets
        Names of all data sets.
    nested
        Whether the value is below `per_dataset` or `per_embedding`, which do not nest.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType, Annotated):
        for option in arguments:
            if _is_model(option) or get_origin(option) is not None:
                yield from unknown_keys(option, value, path, datasets=datasets, nested=nested)
    elif isinstance(value, list) and origin is list:
        for index, item in enumerate(value):
            yield from unknown_keys(arguments[0], item, (*path, index), datasets=datasets)
    elif isinstance(value, dict) and origin is dict:
        known = datasets if arguments[0] == DatasetName else None
        for key, item in value.items():
            if known is not None and key not in known:
                yield (*path, key), list(known)
            yield from unknown_keys(arguments[1], item, (*path, key), datasets=datasets)
    elif isinstance(value, dict) and _is_model(annotation):
        yield from _unknown_in_section(annotation, value, path, datasets, nested)


def _unknown_in_section(
    model: type[BaseModel],
    values: Mapping[str, Any],
    path: KeyPath,
    datasets: Sequence[str],
    nested: bool,
) -> Iterator[tuple[KeyPath, list[str]]]:
    known = [key for key in model.model_fields if not (nested and key in OVERRIDING)]
    for key, value in values.items():
        here = (*path, key)
        if key not in known:
            yield here, known
            continue
        annotation = model.model_fields[key].annotation
        if key in OVERRIDING and isinstance(value, dict):
            yield from unknown_keys(annotation, dict.fromkeys(value), here, datasets=datasets)
            for name, override in value.items():
                at = (*here, name)
                yield from unknown_keys(model, override, at, datasets=datasets, nested=True)
        else:
            yield from unknown_keys(annotation, value, here, datasets=datasets)


def unknown_key(
    layers: Layers, path: KeyPath, known: list[str], everywhere: list[str]
) -> ConfigError:
    """Return the error for an unknown key.

    Parameters
    ----------
    layers
        The configuration.
    path
        The key.
    known
        The keys that are known beside it.
    everywhere
        All keys of the configuration, dotted.
    """
    key = str(path[-1])
    if name := _new_name(path):
        return ConfigError(
            "The configuration has a key that was renamed.",
            where=layers.place(path),
            got=repr(key),
            fix=f"use its new name, `{name}`",
        )
    return ConfigError(
        "The configuration has an unknown key.",
        where=layers.place(path),
        got=repr(key)[:100],
        fix=_other_key(layers, path, known, everywhere),
    )


def _other_key(layers: Layers, path: KeyPath, known: list[str], everywhere: list[str]) -> str:
    """Return advice about the key that was meant."""
    key = str(path[-1])
    if key in OVERRIDING and any(one in OVERRIDING for one in path[:-1]):
        return f"move its keys up: `{key}` cannot be nested"
    if "." in key:
        first, text = by_level(key, value_at(layers.values, path))
        return f"write one key per level: `{first}: {text}`"
    one = "source" if key.startswith(("embedding", "control")) else key.removesuffix("s")
    if "source" in known and one in known:  # a pattern, which has other names than the grid
        return f"did you mean '{one}'?"
    same = list(_elsewhere(path, everywhere))
    same.sort(key=lambda name: (-len({*name.split(".")} & {*path}), name.count(".")))
    if not same:
        listed = f"remove it; valid keys here are {', '.join(known[:30])}"
        return did_you_mean(key, known, listed)
    advice = f"did you mean {' or '.join(f'`{name}`' for name in same[:3])}?"
    if len(path) > 1:
        return advice
    option = on_the_command_line(same[0], value_at(layers.values, path))
    return f"{advice} On the command line: {option}"


def _elsewhere(path: KeyPath, everywhere: list[str]) -> Iterator[str]:
    """Yield the keys of the same name; below a data set or a variant, those that it can have."""
    key = str(path[-1])
    section = below = path[:1] if key in OVERRIDING else ()
    for at, part in enumerate(path[:-1]):
        if part in OVERRIDING:
            section, below = path[:at], path[: at + 2]
    start, own = ("".join(f"{part}." for part in one) for one in (section, below))
    for one in everywhere:
        if one.startswith(start) and one.endswith(f".{key}"):
            yield own + one.removeprefix(start)


def _new_name(path: KeyPath) -> str | None:
    """Return today's name of an old key; None if no version had it."""
    parts = list(map(str, path))
    start = parts.index("per_dataset") if "per_dataset" in parts else len(parts)
    dataset = parts[start : start + 2]  # "per_dataset" and the name of a data set
    del parts[start : start + 2]
    name = _RENAMED.get(".".join(parts))
    return name and ".".join([*name.split(".")[:start], *dataset, *name.split(".")[start:]])


def explained(
    error: ValidationError, layers: Layers, section: KeyPath = (), *names: str
) -> ConfigError:
    """Return the error of a value in words: its key and place, what it is, and what it may be.

    Parameters
    ----------
    error
        What Pydantic says about a section.
    layers
        The configuration.
    section
        The section's path.
    names
        Data sets and embeddings that the section was resolved for.
    """
    problems = error.errors()
    first = problems[0]
    # Pydantic's locations name the alternatives of unions, too, which are no keys.
    location = tuple(part for part in first["loc"] if not _is_type_name(part))
    path = (*section, *location)
    value, unfit = first["input"], first.get("ctx", {}).get("error")
    if isinstance(unfit, UnfitError):
        at, fix = unfit.path, str(unfit)
        if layers.is_default((*path, *at), *names):
            own = [(key,) for key in value if not layers.is_default((*path, key), *names)]
            at = next((key for key in own if key[0] in fix), own[0] if own else at)
        value, path = value_at(value, at), (*path, *at)
        if isinstance(value, dict):  # as the study has it
            written = [key for key in value if not layers.is_default((*path, key), *names)]
            value = {key: value[key] for key in written} or value
    else:
        message = "set it, since it has no default" if first["type"] == "missing" else first["msg"]
        fix = _advice(message, value, _field_at(_without_overriding(path)))
    places = {tuple(part for part in one["loc"] if not _is_type_name(part)) for one in problems}
    return ConfigError(
        "The configuration has a value that is not valid.",
        where=layers.place(path, *names),
        got=shown(MISSING if first["type"] == "missing" else value),
        fix=fix + (f" (and {len(places) - 1} more)" if len(places) > 1 else ""),
    )


def _advice(message: str, value: Any, field: FieldInfo | None) -> str:
    """Return what a value may be, with the most similar one."""
    if field is None:
        return message
    options = list(_literals(field.annotation))
    meant = _SYNONYMS.get(value, value) if isinstance(value, str) else ""
    similar = did_you_mean(meant, options) if meant else ""
    if isinstance(value, str) and not similar and isinstance(_plain(value), (int, float)):
        similar = "remove the quotes;"
    elif value in ("None", "none") and type(None) in get_args(field.annotation):
        similar = "write null;"
    elif field.annotation is str and isinstance(value, (int, float)):
        similar = "put quotes around it;"
    elif get_origin(field.annotation) is list and isinstance(value, (str, int, float)):
        similar = f"{similar} write a list, as in `[0, 1]` or `[a, b]`;".lstrip()
    if field.annotation is Any:  # settings of a custom embedding, which another model declares
        return f"{similar} {message}".lstrip()
    # For a union, Pydantic explains each alternative, which the words below name together, and
    # they say what a pattern means, and how many characters.
    union = get_origin(field.annotation) in (Union, types.UnionType)
    said = any(words in message for words in ("match pattern", " characters"))
    told = "" if union or options or said else message
    allowed = f"allowed: {type_text(field.annotation, field.metadata)}"
    return " ".join(filter(None, (similar, f"{told};" if told else "", allowed)))


def _plain(text: str) -> Any:
    try:
        return plain_scalar(text)
    except ValueError:
        return text


def _literals(annotation: Any) -> Iterator[str]:
    if annotation == DatasetName:
        yield from BUILT_IN
    elif get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif not isinstance(annotation, type):
        for argument in get_args(annotation):
            yield from _literals(argument)


def _is_type_name(part: str | int) -> bool:
    """Return whether a part of Pydantic's location is a type: `literal['auto']`, `[key]`."""
    return isinstance(part, str) and (part in _TYPE_NAMES or "[" in part)


def _without_overriding(path: KeyPath) -> KeyPath:
    """Return a key without `per_dataset` and the data set's name, and the like."""
    for at, part in enumerate(path):
        if part in OVERRIDING and at + 1 < len(path):
            return (*path[:at], *_without_overriding(path[at + 2 :]))
    return path


def _field_at(path: KeyPath) -> FieldInfo | None:
    """Return the declaration of a key, or of what a list or mapping holds."""
    found: FieldInfo | None = None
    annotation: Any = Config
    for part in path:
        if _is_model(annotation):
            found = annotation.model_fields.get(part)
        elif get_origin(annotation) in (list, tuple):
            found = FieldInfo.from_annotation(get_args(annotation)[0])
        elif get_origin(annotation) is dict:
            found = FieldInfo.from_annotation(get_args(annotation)[1])
        else:
            return None
        if found is None:
            return None
        annotation = found.annotation
    return found


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
