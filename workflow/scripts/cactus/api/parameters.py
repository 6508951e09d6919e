"""Checks of what a notebook passes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from cactus.config.sections.base import Settings
from cactus.errors import ConfigError, EpisodeError, did_you_mean

SettingsT = TypeVar("SettingsT", bound=Settings)


def checked(
    model: type[SettingsT],
    where: str,
    values: Mapping[str, Any],
    names: Mapping[str, str] = MappingProxyType({}),
) -> SettingsT:
    """Return settings with these values, and the pipeline's defaults for the others.

    Parameters
    ----------
    model, values
        The settings, and the values of some of their keys.
    where, names
        The function that takes the values, and its names of keys that it calls otherwise.

    Raises
    ------
    ConfigError
        There is no such parameter, or a value is not valid.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        known = did_you_mean(key, model.model_fields, f"known are {', '.join(model.model_fields)}")
        raise ConfigError(
            "A parameter is not valid.",
            where=f"{where}({names.get(key, key)}=...)",
            got=repr(first["input"]),
            fix=known if first["type"] == "extra_forbidden" else first["msg"],
        ) from error


def as_partitions(labels: Any) -> npt.NDArray[np.integer[Any]]:
    """Return classes (N,) or partitions (P, N) as partitions (P, N).

    Raises
    ------
    EpisodeError
        They are no integers in one or two dimensions.
    """
    found = np.atleast_2d(labels)
    if found.dtype.kind not in "iu" or found.ndim != 2:
        shape = f"{found.dtype} of shape {found.shape}"
        raise EpisodeError(
            "Labels are of another type or shape.",
            where="the argument `labels`",
            got=shape if isinstance(labels, np.ndarray) else type(labels).__name__,
            fix="pass classes (N,) or partitions (P, N) as integers, e.g. `data.val.labels`",
        )
    return found
