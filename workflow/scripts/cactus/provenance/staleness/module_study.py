"""The study of a workflow that another one imports as a module of Snakemake."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cactus.config.load import parse_config
from cactus.files import write_text


def study_of_module(values: Mapping[str, Any], name: str) -> Path:
    """Write the `config` of a module as a study into its run's folder; return the file.

    All commands read a run's configuration from files. JSON is YAML.

    Parameters
    ----------
    values
        The keys that differ from the defaults.
    name
        The module's name, which names a run without one.

    Raises
    ------
    ConfigError
        A key or a value is not valid.
    """
    study = {"run": name, **values}
    run = parse_config(study, f"the config of the module {name}").run
    path = Path("results") / run / "plans" / "study.yaml"
    text = json.dumps(study, indent=2, sort_keys=True) + "\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)
    return path
