"""What a job's results depend on besides spec and inputs: code, libraries, data files."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from platform import python_version_tuple
from typing import Any, Final, NoReturn

from cactus.config.models import Config
from cactus.data.files.registry import DatasetEntry, load_registry
from cactus.errors import CodeError, ConfigError
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.declared import declared_hashes
from cactus.provenance.fingerprint.distributions import (
    normalized,
    packages_distributions,
    public_version,
)
from cactus.provenance.fingerprint.project_files import project_file_hash
from cactus.stages.base import Job

_REGISTRY: Final = "config/datasets.yaml"
# Top-level modules of our own code whose distribution has a different name: a quick way to it.
_DISTRIBUTIONS: Final = {"sklearn": "scikit-learn", "yaml": "pyyaml", "PIL": "pillow"}
_LOCK: Final = "envs/requirements.lock"
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+) *== *([^\s;\\]+)", re.M)
_CONDA: Final = "envs/cactus.yaml"
_PYTHON_PIN: Final = re.compile(r"^ *- (python) *=+ *(\d+\.\d+)", re.M)


@dataclass(frozen=True)
class Dependencies:
    """What a job's results depend on besides spec and inputs.

    Attributes
    ----------
    code
        Source hash of each file in the closure of the job's imports.
    libraries
        Versions of the libraries that these files import, locked or installed as the study says,
        and the minor version of this Python.
    files
        sha256 of each data file of the project, or entry of one, that the job reads.
    declared
        sha256 of each data file that the configuration declares for the job.
    """

    code: dict[str, str]
    libraries: dict[str, str]
    files: dict[str, str]
    declared: dict[str, str]


@dataclass
class Project:
    """The files in the folder of a project's clone, in their current state."""

    root: Path
    tree: SourceTree
    _contents: dict[str, dict[str, Any]] = field(default_factory=dict, init=False, repr=False)
    _installed: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def locked(self) -> dict[str, str]:
        """Versions in the lock file, by normalized distribution name, and Python's minor version.

        Raises
        ------
        ConfigError
            A file cannot be read.
        """
        pins = [*_PIN.findall(self._lock(_LOCK)), *_PYTHON_PIN.findall(self._lock(_CONDA))]
        return {normalized(name): version for name, version in pins}

    def _lock(self, name: str) -> str:
        path = self.root / name
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ConfigError(
                "The lock file cannot be read.",
                where=str(path),
                got=str(error),
                fix="restore it from the repository",
            ) from error

    def departures(self, versions: Mapping[str, str]) -> dict[str, str]:
        """Return the versions that are not the locked ones, of libraries that are locked."""
        return {
            name: version
            for name, version in versions.items()
            if public_version(self.locked.get(name, version)) != version
        }

    @cached_property
    def registry(self) -> Mapping[str, DatasetEntry]:
        """The registry of data sets: what is published about each.

        Raises
        ------
        ConfigError
            It cannot be read.
        """
        return {str(name): one for name, one in load_registry(self.root / _REGISTRY).items()}

    def dependencies(self, config: Config, job: Job) -> Dependencies:
        """Return what a job's results depend on besides spec and inputs.

        Raises
        ------
        CodeError
            A source file is missing or invalid, or a library is not installed whose version is
            not locked or, by the study, not to be the locked one.
        ConfigError
            A declared file cannot be read.
        """
        stage, wildcards = job.definition, job.definition.parse(job.cell)
        closure = self.tree.closure(entry_points(config, job))
        locked = self.locked if config.environment == "locked" else {}
        versions: dict[str, str] = {}
        for library in sorted(closure.libraries):
            found = self._versions(library, locked)
            if not found and self.tree.needs(closure, library):
                self._refuse(library)
            versions |= found
        versions["python"] = ".".join(python_version_tuple()[:2])
        files = {str(one): self._hash(str(one)) for one in stage.data_files(config, wildcards)}
        declared = stage.declared_files(config, wildcards)
        hashes = declared_hashes(self.tree.base, declared, self.tree.cache)
        return Dependencies(closure.files, versions, files, hashes)

    def _hash(self, name: str) -> str:
        return project_file_hash(self.root, name, self.tree.cache, self._contents)

    def _versions(self, library: str, locked: Mapping[str, str]) -> dict[str, str]:
        """Return the versions of the distributions that have a top-level module; empty if none."""
        name = normalized(_DISTRIBUTIONS.get(library, library))
        if version := locked.get(name) or self._version(name):
            return {name: version}
        names = map(normalized, packages_distributions().get(library, ()))
        found = {name: locked.get(name) or self._version(name) for name in names}
        return {name: version for name, version in found.items() if version}

    def _version(self, distribution: str) -> str:
        """Return the installed version of a distribution; empty if there is none."""
        if distribution not in self._installed:
            try:
                found = public_version(metadata.version(distribution))
            except metadata.PackageNotFoundError:
                found = ""
            self._installed[distribution] = found
        return self._installed[distribution]

    @staticmethod
    def _refuse(library: str) -> NoReturn:
        found = PathFinder.find_spec(library)
        places = [] if found is None else [found.origin, *(found.submodule_search_locations or ())]
        place = next(filter(None, places), None)
        raise CodeError(
            "The code of a job imports a library that is neither locked nor installed.",
            where=library,
            got=f"{place}, which is of no installed package"
            if place
            else f"no such module in {sys.prefix}",
            fix="if it is a module of your own, put its file beside the code that imports it; with "
            "`environment: site`, start in the environment of the jobs, and install it there; "
            "otherwise, add it to envs/requirements.in and run `make lock`",
        )


def entry_points(config: Config, job: Job) -> tuple[str, ...]:
    """Return a job's script, its stage's module, and the modules that it imports dynamically."""
    stage = job.definition
    modules = stage.modules(config, stage.parse(job.cell))
    return f"{stage.name}.py", type(stage).__module__, *modules
