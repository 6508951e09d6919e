"""Write the configuration's reference, its JSON schema and the paper's YAML from the models.

Run it by `make config-docs`, or by `python docs/config_reference.py`.
"""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cactus.config.models import Config
from cactus.config.sections.grid import GridSettings
from cactus.config.words import type_text
from cactus.files import write_text

# The cells of the paper's tables; a study of one's own says itself what it adds to its cells.
PAPER = Config(
    grid=GridSettings(
        per_dataset={
            "mnist": {"embeddings": ["acai", "bigan", "infogan"], "learners": ["maml"]},
            "omniglot": {"embeddings": ["acai", "bigan"]},
            "miniimagenet": {"embeddings": ["bigan", "deepcluster"]},
            "celeba": {"embeddings": ["bigan", "deepcluster"]},
        },
        controls={
            "mnist": ["labels"],
            "omniglot": [
                "labels",
                "random+20-way",
                "random+5-way",
                "pixels",
                "acai+p-1",
                "hyperplanes-acai",
                "hyperplanes-acai+margin-0",
            ],
            "miniimagenet": ["labels", "deepcluster+p-1", "hyperplanes-deepcluster"],
            "celeba": ["labels"],
        },
        ablation_learners=["maml"],
        scratch=True,
        baselines=True,
    )
)

_YAML_HEADER = """\
# yaml-language-server: $schema=config.schema.json
# The paper's study, which runs if no --configfile is given: the cells of its tables, and no others
# (those are in full.yaml). Lines that start with #key are the defaults. Generated from
# workflow/scripts/cactus/config by `make config-docs`; put a study of your own in a file of its
# own, with only the keys that differ from the defaults.
"""
_REFERENCE_HEADER = """\
# Configuration reference

Generated from `workflow/scripts/cactus/config` by `make config-docs`. A study is a YAML file with
the keys that differ from the defaults, passed by `--configfile`. Without one, the paper's study
`config/config.yaml` runs; it is not read for other studies.

Later values win: the defaults, those for single data sets, the study, its values for single data
sets (`per_dataset`), and `--config`. So a study's own value also replaces the defaults that a data
set has for the key. Further files after `--configfile` count as later studies. Lists are replaced
whole, mappings key by key.

`cactus config RUN CELL` prints the values that a cell gets and where each comes from, with
`--configfile` also those of a study that never ran. On the command line, keys of a section are
written as `--config 'compute={threads: 1}'`. Both options are given once, each with all its values:
Snakemake keeps only the last, so a second one is refused.

The cells are `datasets` x `embeddings` x `learners` x `seeds` of `grid`, without what `exclude`
matches; a pattern that matches no cell is noted at the start. Controls, training from scratch and
baselines are added only where the study asks for them: `config/config.yaml` has exactly the cells
of the paper's tables, `config/full.yaml` every embedding and learner on every data set.
With `synthetic_data`, the defaults of splits, ways, queries and clusters follow the sizes under
`synthetic`; trainings are as long as the paper's.

Values have the types below: `true` and `"4"` are not integers. The files are plain YAML without
tags and dates; no key appears twice.

## Studies

`cactus plan --configfile STUDY` says what a study would compute, and how long that takes if similar
jobs have run on this computer. Times of real data are those of docs/results.md.

| study | what it computes | data | time |
|---|---|---|---|
| `demo.yaml` | every method, tiny | synthetic | 5 to 10 min on 2 cores |
| `omniglot-acai.yaml` | ACAI with both learners and baselines | Omniglot | 26 min on 2 cores |
| `omniglot-vinyals.yaml` | contrastive, split of Matching Networks | Omniglot | 68 min on 1 core |
| `beyond.yaml` | contrastive, and ACAI next to it | Omniglot | about 3 core-hours |
| `mnist.yaml` | four embeddings, both learners, oracles, baselines | MNIST | 5.7 core-hours |
| `omniglot.yaml` | the same, ablations, three seeds of ACAI | Omniglot | about 15 core-hours |
| `untrained.yaml` | untrained networks, after another study | that study's | minutes |
| `config.yaml` | the paper's 34 cells | all four | at least 7 H100-hours for one seed |
| `full.yaml` | 64 cells: all embeddings, learners, ablations | all four | at least 14 H100-hours |

The last two are [estimates](../docs/performance.md#on-paper): neither has been computed. MNIST and
Omniglot are downloaded; miniImageNet and CelebA you have to put into place
([data.md](../docs/data.md)).

## Keys

| key | type | default | meaning [unit] |
|---|---|---|---|
"""


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a configuration file."""
    schema = Config.model_json_schema()
    for name, definition in schema["$defs"].items():
        overrides = definition.get("properties", {}).get("per_dataset")
        if overrides is not None:
            # Values for a data set are any of the keys. The loader says which have to be set.
            definition.pop("required", None)
            overrides["additionalProperties"] = {"$ref": f"#/$defs/{name}"}
    return schema


def reference_markdown() -> str:
    """Return a table of every key: type, default, description and unit."""
    rows = [f"| `{key}` | {kind} | {default} | {text} |" for key, kind, default, text in _rows()]
    return _REFERENCE_HEADER + "\n".join(rows) + "\n"


def commented_yaml(config: Config) -> str:
    """Return `config` as YAML, each key below its description; defaults are comments."""
    lines = list(_yaml_lines(config, Config(), 0))
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


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _yaml_lines(model: BaseModel, defaults: BaseModel, depth: int) -> Iterator[str]:
    indent = "  " * depth
    for name, field in type(model).model_fields.items():
        value, default = getattr(model, name), getattr(defaults, name)
        # Without a name of its own, the study would have that of its file.
        mark = "" if value != default or name == "run" else "#"
        if isinstance(value, BaseModel):
            yield ""
            yield from _comment(type(value).__doc__ or "", indent)
            yield f"{indent}{mark}{name}:"
            yield from _yaml_lines(value, default, depth + 1)
        else:
            yield from _comment(field.description or "", indent)
            # Block style for scalars and, by None, for all but the innermost collections.
            style = None if isinstance(value, (dict, list)) else False
            text = yaml.safe_dump({name: _plain(value)}, sort_keys=False, default_flow_style=style)
            for line in text.rstrip("\n").splitlines():
                key = line.lstrip()
                yield f"{indent}{line.removesuffix(key)}{mark}{key}"


def _comment(text: str, indent: str) -> list[str]:
    first = " ".join(text.strip().split("\n\n")[0].split())
    width = 98 - len(indent)
    return [f"{indent}# {line}" for line in textwrap.wrap(first, width)]


def main() -> None:
    """Write the three generated files into `config/`."""
    folder = Path(__file__).parents[1] / "config"
    write_text(folder / "README.md", reference_markdown())
    write_text(folder / "config.schema.json", json.dumps(json_schema(), indent=2) + "\n")
    write_text(folder / "config.yaml", commented_yaml(PAPER))


if __name__ == "__main__":
    main()
