"""The files of code that a job runs: a script, the modules it selects, and all they import."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from cactus.errors import CodeError
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.fingerprint.source_hash import PythonSource

# Bookkeeping around a stage's code: it sees files and hashes only, so no result depends on it.
_PROVENANCE: Final = "cactus.provenance"
# What the stages say of themselves reaches the plan by value. What they import for their specs may
# decide results.
_STAGES: Final = "cactus.stages"


def is_bookkeeping(module: str) -> bool:
    """Return whether no result depends on a module's own code."""
    return _is_below(module, _PROVENANCE) or _is_below(module, _STAGES)


@dataclass(frozen=True)
class Closure:
    """All that the code of a job is made of.

    Attributes
    ----------
    files
        Source hash of each file, by its name: its path below the scripts' folder, or as the
        configuration gives it.
    libraries
        Top-level names of the imported modules that are neither ours nor Python's own.
    """

    files: dict[str, str]
    libraries: frozenset[str]


class _Part(NamedTuple):
    """A source file as an import finds it, and the folder that its own imports are looked up in."""

    name: str
    module: str
    root: Path


class _Content(NamedTuple):
    """The hash of a source file, and the parts and libraries that it imports."""

    digest: str
    parts: list[_Part]
    libraries: set[str]


@dataclass
class SourceTree:
    """Finds and describes source files.

    Parameters
    ----------
    scripts
        Folder of the stages' scripts and of the package `cactus`.
    cache
        Remembers the hashes of files.
    """

    scripts: Path
    cache: HashCache
    _closures: dict[tuple[str, ...], Closure] = field(default_factory=dict)
    _contents: dict[_Part, _Content] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """Return the path of a file by its name in a `Closure`."""
        return self.scripts / name

    def closure(self, entries: Iterable[str]) -> Closure:
        """Return what the code of a job is made of.

        Parameters
        ----------
        entries
            Names of files (below the scripts' folder, or as the configuration gives them) and
            dotted names of modules.

        Raises
        ------
        CodeError
            A file or module is missing, or is no valid Python.
        """
        key = tuple(entries)
        if key not in self._closures:
            self._closures[key] = self._collect(key)
        return self._closures[key]

    def source_hash(self, name: str) -> str:
        """Return the source hash of one file by its name."""
        return self._source(name, "").digest

    def _collect(self, entries: tuple[str, ...]) -> Closure:
        files: dict[str, str] = {}
        libraries: set[str] = set()
        waiting, seen = [part for entry in entries for part in self._entry(entry)], set()
        while waiting:
            part = waiting.pop()
            if part.name in seen:
                continue
            seen.add(part.name)
            if part not in self._contents:
                self._contents[part] = self._read(part)
            content = self._contents[part]
            if not is_bookkeeping(part.module):
                files[part.name] = content.digest
                libraries |= content.libraries
            waiting += content.parts
        foreign = libraries - sys.stdlib_module_names - {"", "cactus"}
        return Closure(dict(sorted(files.items())), frozenset(foreign))

    def _read(self, part: _Part) -> _Content:
        source, root = self._source(part.name, part.module), part.root
        content = _Content(source.digest, [], set())
        for imported in source.imports:
            if _is_below(imported, _PROVENANCE):
                continue
            found = list(_module_files(imported, root)) or list(
                _module_files(imported, self.scripts)
            )
            if found:
                content.parts.extend(_Part(self._name(path), one, root) for one, path in found)
            else:
                content.libraries.add(imported.partition(".")[0])
        return content

    def _entry(self, entry: str) -> list[_Part]:
        """Return the file of a script, or of a module and of the packages above it."""
        if entry.endswith(".py"):
            return [_Part(entry, Path(entry).stem, self.scripts)]
        for root in (self.scripts, *map(Path, filter(None, sys.path))):
            found = list(_module_files(entry, root))
            if found and found[-1][0] == entry:
                return [_Part(self._name(path), module, root) for module, path in found]
        raise CodeError(
            "A module that a job runs cannot be found.",
            where=entry,
            got="no such file below the scripts' folder or on Python's path",
            fix="give the dotted name of a module that Python finds, or the path of a .py file",
        )

    def _name(self, path: Path) -> str:
        below = path.is_relative_to(self.scripts)
        return path.relative_to(self.scripts).as_posix() if below else str(path)

    def _source(self, name: str, module: str) -> PythonSource:
        path = self.path(name) if (self.path(name)).is_file() else Path(name)
        try:
            return self.cache.source(path, module)
        except (OSError, SyntaxError, UnicodeDecodeError) as error:
            raise CodeError(
                "A source file that a job runs cannot be read.",
                where=str(path),
                got=str(error),
                fix="fix the file, or name another in the configuration",
            ) from error


def _is_below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _module_files(module: str, root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the packages above a module and the module itself, as far as they exist."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        stem = root.joinpath(*parts[:length])
        for path in (stem / "__init__.py", stem.with_suffix(".py")):
            if path.is_file():
                yield ".".join(parts[:length]), path
                break
        else:
            return
