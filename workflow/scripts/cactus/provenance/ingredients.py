"""What a job's results depend on besides its spec and inputs: code, libraries, data files."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from platform import python_version_tuple
from typing import Any, Final

import yaml

from cactus.config.models import Config
from cactus.config.source import NAME_PATTERN, Source
from cactus.errors import CodeError, ConfigError
from cactus.provenance.closure import SourceTree
from cactus.provenance.jobs import Job
from cactus.tasks.kmeans.loader import GPU_MODULE, may_use_gpu

# Top-level modules whose distribution has another name.
_DISTRIBUTIONS: Final = {"sklearn": "scikit-learn", "yaml": "pyyaml", "PIL": "pillow"}
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.M)


@dataclass(frozen=True)
class Ingredients:
    """What a job's results depend on besides its spec and inputs.

    Attributes
    ----------
    code
        Meaning of each source file in the closure of the job's imports.
    libraries
        Versions of the libraries that these import, and Python's minor version.
    files
        sha256 of the parts of the project's data files that the job reads.
    """

    code: dict[str, str]
    libraries: dict[str, str]
    files: dict[str, str]


@dataclass
class Project:
    """The project's files as they are now.

    Parameters
    ----------
    root
        Folder of the clone.
    tree
        Its sources.
    """

    root: Path
    tree: SourceTree

    @cached_property
    def locked(self) -> dict[str, str]:
        """Versions in the lock file, by the normalised name of the distribution."""
        path = self.root / "envs" / "requirements.lock"
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(
                "The lock file of the libraries cannot be read.",
                where=str(path),
                got=str(error),
                fix="restore it from the repository",
            ) from error
        return {normalised(name): version for name, version in _PIN.findall(text)}

    @cached_property
    def registry(self) -> dict[str, Any]:
        """What is published about each data set, as plain values."""
        path = self.root / "config" / "datasets.yaml"
        content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        return content

    def ingredients(self, config: Config, job: Job) -> Ingredients:
        """Return what a job's results depend on besides its spec and inputs."""
        closure = self.tree.closure(entries(config, job))
        libraries = {normalised(_DISTRIBUTIONS.get(name, name)) for name in closure.libraries}
        versions = {name: self._version(name) for name in sorted(libraries)}
        versions["python"] = ".".join(python_version_tuple()[:2])
        return Ingredients(closure.files, versions, self._files(job))

    def _version(self, distribution: str) -> str:
        if distribution in self.locked:
            return self.locked[distribution]
        try:
            return public_version(metadata.version(distribution))
        except metadata.PackageNotFoundError as error:
            raise CodeError(
                "The code of a job imports a library that is neither locked nor installed.",
                where=distribution,
                got="no such distribution",
                fix="install it, or add it to envs/requirements.in and run `make lock`",
            ) from error

    def _files(self, job: Job) -> dict[str, str]:
        names: list[str] = []
        if job.stage == "aggregate_results":
            names.append("config/paper_results.csv")
        if job == Job("prepare_data", "miniimagenet"):
            names.append("config/splits/miniimagenet.csv")
        hashes = {name: self.tree.cache.sha256(self.root / name) for name in names}
        if job.stage == "prepare_data":
            entry = json.dumps(self.registry[job.cell], sort_keys=True, default=str)
            hashes[f"config/datasets.yaml: {job.cell}"] = hashlib.sha256(entry.encode()).hexdigest()
        return hashes


def entries(config: Config, job: Job) -> tuple[str, ...]:
    """Return the script of a job and the modules that its wildcards select."""
    script, values = f"{job.stage}.py", job.wildcards
    match job.stage:
        case "make_sample":
            return script, f"cactus.sample.{values['dataset']}"
        case "prepare_data":
            return script, f"cactus.data.{values['dataset']}"
        case "train_embedding":
            return script, _embedding_module(config, values["embedding"])
        case "make_partitions" if may_use_gpu(Source.parse(values["source"]), config.compute):
            return script, GPU_MODULE
        case "meta_train" | "evaluate_model":
            return script, f"cactus.meta.{values['learner']}.learner"
        case "make_figure":
            return script, f"cactus.paper.figures.{job.cell.partition('-')[0]}"
    return (script,)


def _embedding_module(config: Config, name: str) -> str:
    custom: Mapping[str, Any] = config.embeddings.custom
    if name in custom:
        return str(custom[name].module)
    assert NAME_PATTERN.fullmatch(name), name
    return f"cactus.embed.{name}"


def normalised(distribution: str) -> str:
    """Return the name of a distribution as package indices compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def public_version(version: str) -> str:
    """Return a version without its local part, which names a build, e.g. ``+cu130``."""
    return version.partition("+")[0]
