"""``cactus config``: the keys of a configuration, with where each value comes from."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cactus.cli.text import columns, print_json
from cactus.config.layers import Layers, dotted, value_at
from cactus.config.load import all_keys, checked
from cactus.config.models import Config
from cactus.config.sections.base import OVERRIDING, merge
from cactus.config.sections.learners.section import BUILT_IN
from cactus.config.sections.source import Source
from cactus.config.yaml_file import KeyPath
from cactus.errors import ConfigError, did_you_mean
from cactus.graph import Graph
from cactus.provenance.staleness.open_run import check_same_run
from cactus.provenance.staleness.planned_config import ROOT, PlannedConfig, read_planned_config
from cactus.provenance.staleness.run_folders import (
    find_run_folder,
    is_same_run,
    planned_folder,
    runs_by_time,
)

_WIDEST = 60  # characters of a key or value that the next column is moved for
_YAML = (".yaml", ".yml", ".json")
# Sections of which the jobs of a cell read nothing.
_OF_RUNS = ("run", "environment", "checkpoints", "gpus", "grid", "outputs")


class _Row(NamedTuple):
    key: str
    value: Any
    origin: str


def show_config(arguments: argparse.Namespace) -> int:
    """Print the keys of a run or a study, or those of one of its cells."""
    # The options take all that follows them.
    first, rest = arguments.configfile[:1], arguments.configfile[1:]
    others = [file for file in rest if file.suffix not in _YAML and not file.is_file()]
    more = [one for one in arguments.config if "=" not in one]
    words = [*arguments.words, *map(str, others), *more]
    arguments.configfile = [*first, *(file for file in rest if file not in others)]
    arguments.config = [one for one in arguments.config if one not in more]
    layers = _layers(arguments, words)
    cell = next((word for word in words if "/" in word), None)
    config = checked(layers)
    wildcards = _wildcards(config, cell) if cell else {}
    rows = list(_rows(layers, wildcards))
    if wildcards.get("source") == "labels":
        rows = _of_oracle(rows)
    source = Source.parse(wildcards["source"]) if "source" in wildcards else None
    if source and source.way:
        rows = [_of_way(row, source, source.way) for row in rows]
    if keys := [word for word in words if word != cell]:
        rows = [row for key in keys for row in _matching(rows, key, cell)]
    if arguments.json:
        print_json([row._asdict() for row in rows])
    else:
        print(columns([(row.key, json.dumps(row.value), row.origin) for row in rows], _WIDEST))
    return 0


def _layers(arguments: argparse.Namespace, words: list[str]) -> Layers:
    """Return the layers of the study or run that is named; take the run's name from the words."""
    runs = runs_by_time()
    named = arguments.run_option or next(filter(planned_folder, words), None)
    words[:] = [one for one in words if not (named and is_same_run(one, named))]
    given = arguments.configfile or arguments.config
    if not given and (named or runs):
        folder = find_run_folder(named or arguments.run_here)
        if not (named or arguments.run_here) and len(runs) > 1:
            print(f"note: {runs[0]} is the newest of {len(runs)} runs", file=sys.stderr)
        planned = read_planned_config(folder)
        return planned.layers(planned.base(folder))
    study = PlannedConfig.read(arguments.configfile, arguments.config, ROOT)
    check_same_run(named, study.config["run"])
    return study.layers(Path())


def _wildcards(config: Config, name: str) -> dict[str, str]:
    """Return the data set, source, embedding and learner of a cell or job."""
    return Graph(config).find(name)[-1].wildcards


def _rows(layers: Layers, wildcards: dict[str, str]) -> Iterator[_Row]:
    """Yield the keys of a configuration; with wildcards, those that the job's cell can read."""
    found = list(_names(wildcards))
    for path, value in _leaves(layers.values, (), found):
        if not wildcards or _is_read(path, wildcards, found):
            yield _Row(dotted(path), value, str(layers.origin(path, *found)))
            if (
                wildcards
                and path[:2] == ("embeddings", "custom")
                and path[3:] == ("like",)
                and value
            ):
                yield from _inherited(layers, path[:3], value, found)


def _inherited(layers: Layers, path: KeyPath, like: str, names: list[str]) -> Iterator[_Row]:
    """Yield the keys that a custom embedding has from the shipped one that it is like."""
    own = {key for key, _ in _leaves(value_at(layers.values, path), path, names)}
    base: KeyPath = ("embeddings", like)
    for key, value in _leaves(value_at(layers.values, base), base, names):
        inherited = (*path, "settings", *key[2:])
        if inherited not in own:
            yield _Row(dotted(inherited), value, f"like {like}, {layers.origin(key, *names)}")


def _names(wildcards: dict[str, str]) -> Iterator[str]:
    """Yield the names whose own values hold for a job; the first wins."""
    name = wildcards.get("source", wildcards.get("embedding"))
    source = Source.parse(name) if name else None
    for one in (source and source.variant, wildcards.get("dataset"), source and source.embedding):
        if one:
            yield one


def _of_oracle(rows: list[_Row]) -> list[_Row]:
    """Return the rows of a cell on true labels: `oracle_iterations`, if set, are its iterations."""
    own = {
        row.key.replace("oracle_", ""): row
        for row in rows
        if row.key.endswith(".oracle_iterations") and row.value is not None
    }
    return [own[row.key]._replace(key=row.key) if row.key in own else row for row in rows]


def _of_way(row: _Row, source: Source, way: int) -> _Row:
    """Return a row of a model of one way, which is trained and evaluated on tasks of this way."""
    value = row.value
    if row.key == "evaluation.settings":
        value = [one for one in value if one["way"] == way]
    elif row.key.startswith("learners.") and row.key.endswith(".way"):
        value = min(way, value) if row.key.endswith(".validation.way") else way
    return row if value == row.value else row._replace(value=value, origin=f"source {source.name}")


def _leaves(
    values: dict[str, Any], path: KeyPath, names: list[str]
) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every key with its value; with names, as they are for these."""
    if names:
        plain = {key: value for key, value in values.items() if key not in OVERRIDING}
        for key in OVERRIDING:
            for name in names:
                plain = merge(plain, (values.get(key) or {}).get(name, {}))
        values = plain
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, key), names)
        elif key not in OVERRIDING:
            yield (*path, key), value


def _is_read(path: KeyPath, wildcards: dict[str, str], names: list[str]) -> bool:
    """Return whether the jobs of a cell can read a key."""
    section, own = path[0], path[1] if len(path) > 1 else ""
    if section in _OF_RUNS:
        return False
    if own == "custom" and len(path) > 2:
        own = path[2]
    if section in ("data", "synthetic"):
        return len(path) < 3 or own in names
    if section == "embeddings":
        return own in names
    if own == "scratch":
        return wildcards.get("source") == own
    if own == "custom" and len(path) > 2:
        return path[2] == wildcards.get("learner")
    return own not in BUILT_IN or own == wildcards.get("learner")


def _matching(rows: list[_Row], key: str, cell: str | None) -> list[_Row]:
    """Return the rows of a key, of a section or of the last part of a key."""
    found = [row for row in rows if f".{row.key}.".find(f".{key}.") >= 0]
    if not found:
        parts = [row.key.split(".") for row in rows]
        keys = {".".join(one[:end]) for one in parts for end in range(1, len(one) + 1)}
        fix = did_you_mean(
            key, [*keys, *(one[-1] for one in parts)], "without a key, all are printed"
        )
        if key in all_keys(Config):
            fix = "no job of the cell reads it: leave the cell out" if cell else "it holds nothing"
        raise ConfigError(
            "The configuration has no such key here.",
            where="the command line",
            got=key,
            fix=fix,
        )
    return found
