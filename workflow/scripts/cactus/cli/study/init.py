"""``cactus init``: write a study that can be planned at once, with comments on what to change."""

import argparse
import json
import os
import re
import unicodedata
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import Final

from cactus.cli.text import tell
from cactus.config.load import load_config, read_yaml
from cactus.config.yaml_file import parse_value
from cactus.errors import ConfigError, StorageError
from cactus.files import atomic_path
from cactus.provenance.staleness.run_folders import run_names

NEW_STUDY: Final = "my-study"
_FOLDER: Final = Path("config")
_SCHEMA: Final = "# yaml-language-server: $schema=config.schema.json\n"
_FIRST_LINE: Final = (
    "# A study has only the keys that differ from the defaults; config/README.md lists them all."
)
_STUDY: Final = """\
{first}
#
#   cactus plan --configfile {file}      what it would do, and what it takes
#   snakemake --cores 2 --configfile {file}
#   cactus results                       the accuracies

# The results are in results/{name}/.
run: {quoted}

# Small drawn images in place of the real data sets, to try the study in minutes. For real data,
# remove this line and the sizes of trainings below; `cactus data` says what is missing.
synthetic_data: true

# The cells: each data set with each embedding, each meta-learner and each seed.
grid:
  datasets: [omniglot]      # mnist, omniglot, miniimagenet, celeba, or one of your own
  embeddings: [acai]        # acai, bigan, deepcluster, infogan, contrastive, or one of your own
  learners: [protonets]     # maml, protonets, or one of your own
  seeds: [0]                # several give the spread between trainings
  # The oracle, which learns from true labels, and partitions at random.
  # controls: {{omniglot: [labels, random]}}
  # Training from scratch, and classifiers on the embeddings.
  # scratch: true
  # baselines: true

# auto takes a GPU if there is one. On a CPU, the same bits need the same number of threads.
compute: {{device: auto, threads: 2}}

# Sizes of a first try; without them, all is as large as in the paper. The curve of a training gets
# a point every `log_every` iterations.
embeddings:
  acai: {{iterations: 100, log_every: 10}}
partitions: {{count: 5}}
learners:
  protonets: {{iterations: 100, log_every: 10}}
evaluation: {{tasks: 100}}
"""


def init_study(arguments: argparse.Namespace) -> int:
    """Write a study; say what to do with it.

    Raises
    ------
    ConfigError
        The name cannot be a run's.
    StorageError
        The file exists, or cannot be written.
    """
    name = arguments.name.removesuffix(".yaml")
    path = _FOLDER / f"{name}.yaml"
    _check_name(name)
    if os.path.lexists(path):
        raise StorageError(
            "The study exists, and nothing is overwritten.",
            where=str(path),
            got="a file",
            fix=f"edit the file, or choose another name, as in `cactus init {free_name()}`",
        )
    if name in run_names():
        raise StorageError(
            "There is a run of this name, with another study.",
            where=f"results/{name}",
            got="results",
            fix=f"choose another name, as in `cactus init {free_name()}`",
        )
    # YAML would read 123 or null as something else.
    quoted = name if parse_value(name, "run") == name else json.dumps(name)
    text = _STUDY.format(first=_FIRST_LINE, name=name, quoted=quoted, file=path)
    schema = _SCHEMA if (_FOLDER / "config.schema.json").is_file() else ""
    with atomic_path(path) as temporary:
        temporary.write_text(schema + text, encoding="utf-8")
    then = [f"cactus plan --configfile {path}", f"snakemake --cores 2 --configfile {path}"]
    lines = [f"wrote {path}\n", f"edit it, then, in {Path.cwd()}:", *(f"  {one}" for one in then)]
    if not Path("Snakefile").is_file():
        lines.append(
            "There is no Snakefile here: name the project's by --snakefile, or go there first."
        )
    facts = {"study": str(path), "run": name, "folder": str(Path.cwd()), "next": then}
    tell(facts, *lines, as_json=arguments.json)
    return 0


def free_name() -> str:
    """Return a name that no study and no run has yet."""
    more = (f"{NEW_STUDY}-{number}" for number in count(2))
    return next(one for one in chain([NEW_STUDY], more) if not _is_taken(one))


def _is_taken(name: str) -> bool:
    return os.path.lexists(_FOLDER / f"{name}.yaml") or name in run_names()


def waiting_studies() -> Iterator[Path]:
    """Yield the studies that ``cactus init`` wrote and nobody has run, the newest first."""
    found = [path for path in _FOLDER.glob("*.yaml") if path.is_file() and _is_written(path)]
    for path in sorted(found, key=lambda one: one.stat().st_mtime, reverse=True):
        try:
            run = read_yaml(path).get("run", path.stem)
        except ConfigError:  # whoever plans it is told what is wrong
            run = path.stem
        if run not in run_names():
            yield path


def _is_written(path: Path) -> bool:
    try:
        return _FIRST_LINE in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _check_name(name: str) -> None:
    try:
        load_config([], {"run": name})
    except ConfigError as error:
        # Without accents: "Größe" is like "grosse".
        letters = re.sub(r"[^\x00-\x7f]", "", unicodedata.normalize("NFKD", name.casefold()))
        similar = re.sub(r"[^a-z0-9._-]+", "-", letters).strip("._-")[:100]
        raise ConfigError(
            "A study cannot have this name.",
            where="cactus init",
            got=name,
            fix="use small letters, digits, dots, - and _, at most 100; the first is a letter or a "
            f"digit, as in `cactus init {similar or 'first'}`",
        ) from error
