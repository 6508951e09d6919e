"""Read a configuration from its files and the command line, and check it."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from cactus.config.command_line import COMMAND_LINE
from cactus.config.explain import explained, unknown_key, unknown_keys
from cactus.config.layers import BUILT_IN as DEFAULTS
from cactus.config.layers import Layer, Layers, value_at
from cactus.config.models import Config
from cactus.config.resolved import check_all_is_used, check_cells
from cactus.config.sections.base import BUILT_IN, MAX_NAME, OVERRIDING, merge, whole_section
from cactus.config.sections.learners.section import training_defaults
from cactus.config.sections.synthetic import SyntheticSettings
from cactus.config.synthetic_sizes import synthetic_sizes
from cactus.config.yaml_file import KeyPath, read_document
from cactus.errors import ConfigError


def load_config(files: Sequence[Path], overrides: Mapping[str, Any] | None = None) -> Config:
    """Return the configuration of a study's files and the values of ``--config``; later ones win.

    Raises
    ------
    ConfigError
        A file cannot be read, a key is unknown, or a value is not valid or used by no cell.
    """
    layers = read_layers(files, overrides)
    config = checked(layers)
    check_all_is_used(config, layers)  # a saved configuration has what its files left unused
    return config


def parse_config(values: Mapping[str, Any], where: str = "the configuration") -> Config:
    """Turn the nested mappings of one study into a `Config`.

    Raises
    ------
    ConfigError
        A key is unknown or a value is not valid; the message suggests the most similar one.
    """
    return checked(stacked([Layer(where, dict(values))]))


def read_yaml(path: Path) -> dict[str, Any]:
    """Read the nested mappings of a YAML file.

    Raises
    ------
    ConfigError
        The file cannot be read or does not hold a mapping.
    """
    return read_document(path).values


def read_layers(
    files: Sequence[Path], overrides: Mapping[str, Any] | None = None, *, name_by_file: bool = True
) -> Layers:
    """Return the layers of a configuration, without a check of their values.

    Parameters
    ----------
    files
        Files of the study; later ones win.
    overrides
        Values of ``--config``, which win over all files.
    name_by_file
        Whether a study without a name of its own is named after its last file.
    """
    layers = [Layer(str(file), *read_document(file)) for file in files]
    if overrides:
        layers.append(Layer(COMMAND_LINE, dict(overrides)))
    if files and name_by_file and not any("run" in layer.values for layer in layers):
        name = Layer(f"the name of {files[-1]}", {"run": _run_name(files[-1])})
        layers.insert(0, name)
    return stacked(layers)


def stacked(layers: Sequence[Layer]) -> Layers:
    """Return a study's layers above the built-in defaults, with those for synthetic data."""
    defaults = Layer(DEFAULTS, Config().model_dump(mode="json"))
    custom = _custom_learners(layers)
    defaults.values["learners"]["custom"] = training_defaults(custom)
    study = Layers([defaults, *layers])
    if study.values.get("synthetic_data") is not True:
        return study
    try:
        synthetic = SyntheticSettings.model_validate(study.values["synthetic"], strict=True)
    except ValidationError:
        return study  # its own check explains what is wrong
    sizes = Layer("built-in default for synthetic data", synthetic_sizes(synthetic, custom))
    return Layers([defaults, sizes, *layers])


def _custom_learners(layers: Sequence[Layer]) -> list[str]:
    """Return the names of a study's custom learners."""
    found = (value_at(layer.values, ("learners", "custom")) for layer in layers)
    return list(dict.fromkeys(name for one in found if isinstance(one, dict) for name in one))


def checked(layers: Layers) -> Config:
    """Return the configuration of layers.

    Raises
    ------
    ConfigError
        A key is unknown or a value is not valid; the message suggests the most similar one.
    """
    for layer in layers.layers:
        for path, known in unknown_keys(Config, layer.values, datasets=dataset_names(layers)):
            raise unknown_key(layers, path, known, list(all_keys(Config)))
    values = layers.values
    config: Config = _validated(layers, Config, values, ())
    for model, section, path in _overridden(Config, values, ()):
        _validated(layers, model, section, path)
    check_cells(config, layers)
    return config


def all_keys(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Yield every key of a section and of those in it, dotted."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from all_keys(field.annotation, f"{path}{name}.")
        yield f"{path}{name}"


def _validated(layers: Layers, model: type[BaseModel], values: Any, path: KeyPath) -> Any:
    """Return a section whose values may not all meet in one job.

    JSON keeps types apart (true is no number), but not lists and tuples.
    """
    context = whole_section(dataset_names(layers))
    try:
        return model.model_validate_json(json.dumps(values), strict=True, context=context)
    except ValidationError as error:
        raise explained(error, layers, path) from None


def dataset_names(layers: Layers) -> list[str]:
    """Return the names of the built-in data sets and of those under `data.custom`."""
    custom = value_at(layers.values, ("data", "custom"))
    return [*BUILT_IN, *(custom if isinstance(custom, dict) else ())]


def _overridden(
    model: type[BaseModel], values: Any, path: KeyPath
) -> Iterator[tuple[type[BaseModel], dict[str, Any], KeyPath]]:
    """Yield every section as it is for a data set or an embedding with values of its own.

    The sections in it follow only if the section itself is valid.
    """
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel) and name in values:
            yield from _overridden(annotation, values[name], (*path, name))
        elif name == "custom":
            for one, entry in values[name].items():
                yield from _overridden(get_args(annotation)[1], entry, (*path, name, one))
    plain = {key: value for key, value in values.items() if key not in OVERRIDING}
    for key in OVERRIDING:
        for name, override in values.get(key, {}).items():
            own = merge(plain, override)
            yield model, own, (*path, key, name)
            yield from _overridden(model, own, (*path, key, name))


def _run_name(file: Path) -> str:
    """Return the name of a run after its file."""
    plain = unicodedata.normalize("NFKD", file.stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9._-]+", "-", plain.lower()).strip("-._")
    if not 0 < len(name) <= MAX_NAME:
        raise ConfigError(
            "A study without the key `run` is named after its file, whose name does not do.",
            where=str(file),
            got=file.stem[:200],
            fix="set `run` in it, e.g. `run: my-study`, or rename it",
        )
    return name
