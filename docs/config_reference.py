"""Write the configuration's reference, its JSON schema and the paper's YAML from the models.

Run it by `make config-docs`, or by `python docs/config_reference.py`.
"""

import json
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cactus.config.models import Config
from cactus.files import write_text

_YAML_HEADER = """\
# yaml-language-server: $schema=config.schema.json
# The paper's grid at the paper's scale: every key with its default. Generated from
# workflow/scripts/cactus/config by `make config-docs`; put a study of your own in a file of its
# own, with only the keys that differ, and pass it by --configfile.
"""
_REFERENCE_HEADER = """\
# Configuration reference

Generated from `workflow/scripts/cactus/config` by `make config-docs`. A file passed by
`--configfile` is laid over `config/config.yaml` key by key; lists are replaced whole. A value
under `per_dataset` wins over the section's own value for that data set, and `config.yaml` sets
many of them: a study that changes such a key sets it under `per_dataset` too.

| key | type | default | meaning [unit] |
|---|---|---|---|
"""

_NOUNS = {bool: "boolean", int: "integer", float: "float", str: "string", Any: "value"}
# Pydantic's bounds by their attribute.
_BOUNDS = {
    "gt": "> {:g}",
    "ge": ">= {:g}",
    "lt": "< {:g}",
    "le": "<= {:g}",
    "multiple_of": "a multiple of {}",
    "pattern": "matching `{}`",
}


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a configuration file."""
    schema = Config.model_json_schema()
    for name, definition in schema["$defs"].items():
        overrides = definition.get("properties", {}).get("per_dataset")
        if overrides is not None:
            overrides["additionalProperties"] = {"$ref": f"#/$defs/{name}"}
    return schema


def reference_markdown() -> str:
    """Return a table of every key: type, default, description and unit."""
    rows = [f"| `{key}` | {kind} | {default} | {text} |" for key, kind, default, text in _rows()]
    return _REFERENCE_HEADER + "\n".join(rows) + "\n"


def commented_yaml(config: Config) -> str:
    """Return `config` as YAML, each key below its description."""
    lines = list(_yaml_lines(config, 0))
    return _YAML_HEADER + "\n".join(lines) + "\n"


def _rows() -> Iterator[tuple[str, str, str, str]]:
    for path, field in _fields(Config, ()):
        kind = type_text(field.annotation, field.metadata).replace("|", "\\|")
        default = json.dumps(_plain(field.get_default(call_default_factory=True)))
        text = " ".join((field.description or "").split()).replace("|", "\\|")
        yield ".".join(path), kind, f"`{default}`".replace("|", "\\|"), text


def _fields(
    model: type[BaseModel], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, (*path, name))
        else:
            yield (*path, name), field


def type_text(annotation: Any, bounds: Iterable[Any] = ()) -> str:
    """Return a type as a reader of the reference needs it, e.g. ``float > 0 or null``.

    Parameters
    ----------
    annotation
        A type as a settings class declares it.
    bounds
        What restricts it, as Pydantic keeps it in `FieldInfo.metadata`.
    """
    return _in_words(annotation, _bounds_text(bounds), plural=False)


def _in_words(annotation: Any, bounds: str, *, plural: bool) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        metadata = [part for field in arguments[1:] for part in field.metadata]
        return _in_words(arguments[0], _bounds_text(metadata), plural=plural)
    if origin is Literal:
        values = ", ".join(map(str, arguments))
        return values if plural or len(arguments) == 1 else f"one of {values}"
    if origin in (Union, UnionType):
        return " or ".join(_in_words(one, bounds, plural=plural) for one in arguments)
    if origin is not None:
        return _collection(origin, arguments, bounds, plural=plural)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        keys = f"with the keys {', '.join(annotation.model_fields)}"
        return f"mapping{'s' * plural} {keys}"
    if annotation is type(None):
        return "null"
    return f"{_NOUNS[annotation]}{'s' * plural}{bounds}"


def _collection(origin: Any, arguments: tuple[Any, ...], bounds: str, *, plural: bool) -> str:
    if origin is dict:
        mapping = f"mapping{'s' * plural}{bounds}"
        if arguments == (str, Any):
            return mapping
        keys, values = (_in_words(one, "", plural=True) for one in arguments)
        return f"{mapping} from {keys} to {values}"
    fixed = origin is tuple and Ellipsis not in arguments
    length = f"{len(arguments)} " if fixed else ""
    return f"list{'s' * plural}{bounds} of {length}{_in_words(arguments[0], '', plural=True)}"


def _bounds_text(metadata: Iterable[Any]) -> str:
    """Return bounds with a space before them; empty if there are none."""
    found = [
        words.format(getattr(one, name))
        for one in metadata
        for name, words in _BOUNDS.items()
        if getattr(one, name, None) is not None
    ]
    return f" {' and '.join(found)}" if found else ""


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _yaml_lines(model: BaseModel, depth: int) -> Iterator[str]:
    indent = "  " * depth
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield ""
            yield from _comment(type(value).__doc__ or "", indent)
            yield f"{indent}{name}:"
            yield from _yaml_lines(value, depth + 1)
        else:
            yield from _comment(field.description or "", indent)
            # Block style for scalars and, by None, for all but the innermost collections.
            style = None if isinstance(value, (dict, list)) else False
            text = yaml.safe_dump({name: _plain(value)}, sort_keys=False, default_flow_style=style)
            yield textwrap.indent(text.rstrip("\n"), indent)


def _comment(text: str, indent: str) -> list[str]:
    first = " ".join(text.strip().split("\n\n")[0].split())
    width = 98 - len(indent)
    return [f"{indent}# {line}" for line in textwrap.wrap(first, width)]


def main() -> None:
    """Write the three generated files into `config/`."""
    folder = Path(__file__).parents[1] / "config"
    write_text(folder / "README.md", reference_markdown())
    write_text(folder / "config.schema.json", json.dumps(json_schema(), indent=2) + "\n")
    write_text(folder / "config.yaml", commented_yaml(Config()))


if __name__ == "__main__":
    main()
