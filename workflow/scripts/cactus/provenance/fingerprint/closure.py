"""The source files that a job runs: its script, the modules it selects, and all their imports."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from cactus.errors import CodeError
from cactus.files import read_bytes
from cactus.provenance.fingerprint.distributions import is_of_a_library
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.fingerprint.module_files import ModuleFiles
from cactus.provenance.fingerprint.needed_imports import needed_imports
from cactus.provenance.fingerprint.source_hash import PythonSource

# Bookkeeping around a stage's code. It only handles files and hashes, so no result depends on it.
_PROVENANCE: Final = "cactus.provenance"
# What a stage defines enters the plan by value. The modules that it imports for its spec may affect
# results.
_STAGES: Final = "cactus.stages"


def is_bookkeeping(module: str) -> bool:
    """Return whether a module only does bookkeeping, so that no result depends on its own code."""
    return _is_below(module, _PROVENANCE) or _is_below(module, _STAGES)


@dataclass(frozen=True)
class Closure:
    """The source files and libraries that make up the code of a job.

    Attributes
    ----------
    files
        Source hash of each file, by name: its path relative to the scripts' folder, or its path as
        the configuration gives it.
    libraries
        Top-level names of imported modules that are neither ours nor in the standard library.
    """

    files: dict[str, str]
    libraries: frozenset[str]


class _SourceFile(NamedTuple):
    """A source file, its module, and the folder in which its own imports are looked up."""

    name: str
    module: str
    root: str  # as a `Path`, it would take several times as long to look up


class _Parsed(NamedTuple):
    """The hash of a source file, and the files and libraries that it imports."""

    digest: str
    files: list[_SourceFile]
    libraries: set[str]


@dataclass
class SourceTree:
    """Finds source files and follows their imports.

    Parameters
    ----------
    scripts
        Folder of the stages' scripts and of the package `cactus`.
    cache
        Cache of file hashes.
    base
        The folder that relative paths in the configuration start from.
    """

    scripts: Path
    cache: HashCache
    base: Path = Path()
    _closures: dict[tuple[str, ...], Closure] = field(default_factory=dict)
    _parsed: dict[_SourceFile, _Parsed] = field(default_factory=dict)
    _located: dict[tuple[str, str], list[_SourceFile]] = field(default_factory=dict)
    _modules: ModuleFiles = field(default_factory=ModuleFiles)

    def path(self, name: str) -> Path:
        """Return the path of a file, given its name in a `Closure`."""
        path = self.scripts / name
        return path if path.is_file() else self.base / name

    def closure(self, entries: Iterable[str]) -> Closure:
        """Return the source files and libraries that entry points lead to.

        Parameters
        ----------
        entries
            Names of files (relative to the scripts' folder, or as the configuration gives them)
            and dotted names of modules.

        Raises
        ------
        CodeError
            A file or module is missing, or is not valid Python.
        """
        key = tuple(entries)
        if key not in self._closures:
            self._closures[key] = self._collect(key)
        return self._closures[key]

    def module_path(self, module: str) -> Path:
        """Return the path of a module, given its dotted name or the path of its file.

        Raises
        ------
        CodeError
            There is no such module.
        """
        return self.path(self._find(module)[-1].name)

    def imported_path(self, module: str, importer: Path) -> Path | None:
        """Return the path of a module of ours, or beside its importer; None for a library's."""
        for root in (str(importer.parent), str(self.scripts)):
            found = self._modules.place(module, root).files
            if found and found[-1][0] == module:
                hidden = self._is_without_code(module, root) and _is_installed(module)
                return None if hidden or _is_compiled(found[-1][1]) else Path(found[-1][1])
        return None

    def needs(self, closure: Closure, library: str) -> bool:
        """Return whether the code of a job needs a library that is missing."""
        return any(self._file_needs(self.path(name), library) for name in closure.files)

    def _file_needs(self, path: Path, library: str) -> bool:
        def resolves(module: str) -> bool:
            return _is_installed(module) or self.imported_path(module, path) is not None

        return library in needed_imports(read_bytes(path), resolves)

    def source_hash(self, name: str) -> str:
        """Return the source hash of a file, given its name in a `Closure`."""
        return self._source(name, "").digest

    def _collect(self, entries: tuple[str, ...]) -> Closure:
        files: dict[str, str] = {}
        libraries: set[str] = set()
        waiting, seen = [file for entry in entries for file in self._find_own(entry)], set()
        while waiting:
            file = waiting.pop()
            if file.name in seen:
                continue
            seen.add(file.name)
            if file not in self._parsed:
                self._parsed[file] = self._parse(file)
            parsed = self._parsed[file]
            if not is_bookkeeping(file.module):
                files[file.name] = parsed.digest
                libraries |= parsed.libraries
            waiting += parsed.files
        foreign = libraries - sys.stdlib_module_names - {"", "cactus"}
        return Closure(dict(sorted(files.items())), frozenset(foreign))

    def _parse(self, file: _SourceFile) -> _Parsed:
        # A package's relative imports start from the package itself.
        module = f"{file.module}.__init__" if file.name.endswith("__init__.py") else file.module
        source, root = self._source(file.name, module), file.root
        files: dict[_SourceFile, None] = {}
        libraries: set[str] = set()
        for imported in source.imports:
            if _is_below(imported, _PROVENANCE):
                continue
            if found := self._imported(imported, root):
                files |= dict.fromkeys(found)
                continue
            folder = self._modules.place(imported, root).folder
            if not folder or _is_installed(imported):
                libraries.add(imported.partition(".")[0])
            elif not any(Path(folder).rglob("*.py")):
                raise _without_code(imported, file.name, folder)
        return _Parsed(source.digest, [*files], libraries)

    def _imported(self, module: str, root: str) -> list[_SourceFile]:
        """Return the files of a module and its packages: below the importer's root, or ours."""
        key = module, root
        if key not in self._located:
            tops = {one: self._modules.top(module, one) for one in (root, str(self.scripts))}
            roots = [one for one, top in tops.items() if top.files or top.folder]
            if roots and _is_installed(module):  # which comes before a folder without code
                roots = [one for one in roots if not self._yields(module, one)]
            places = (self._modules.place(module, one).files for one in roots)
            found = next(filter(None, places), ())
            self._located[key] = [self._source_file(path, one, root) for one, path in found]
        return self._located[key]

    def _yields(self, module: str, root: str) -> bool:
        """Return whether Python prefers an installed module to what a folder has of its name.

        It looks last beside a module given by its path, and takes a folder without code only if
        nothing else has its name.
        """
        last = root != str(self.scripts) and root not in sys.path
        return last or self._is_without_code(module, root)

    def _is_without_code(self, module: str, root: str) -> bool:
        """Return whether a folder has no code of its own for the top-level package of a module."""
        return not self._modules.top(module, root).files

    def _find_own(self, entry: str) -> list[_SourceFile]:
        """Return the same as `_find`, but refuse a library, whose sources are far too many."""
        found = self._find(entry)
        path = self.path(found[-1].name)
        if is_of_a_library(entry, path, self.scripts):
            raise CodeError(
                "A module that a job runs is a library's, not your own.",
                where=entry,
                got=str(path),
                fix="name a .py file of your own in the study, and import the library there",
            )
        return found

    def _find(self, entry: str) -> list[_SourceFile]:
        """Return the file of a script, or of a module and of the packages that contain it."""
        if entry.endswith(".py"):
            path = self.path(entry)
            # Python looks beside the file that a link leads to.
            beside = (path.resolve() if path.is_symlink() else path.absolute()).parent
            root = self.scripts if path.is_relative_to(self.scripts) else beside
            return [_SourceFile(entry, path.stem, str(root))]
        # Our own package is here or missing: another clone of it may be installed.
        ours = _is_below(entry, "cactus")
        for root in (str(self.scripts), *(() if ours else filter(None, sys.path))):
            found = self._modules.place(entry, root).files
            if found and found[-1][0] == entry:
                return [self._source_file(path, module, root) for module, path in found]
        raise CodeError(
            "A module that a job runs cannot be found.",
            where=entry,
            got="no such file in the scripts' folder or on Python's path",
            fix="give the dotted name of an importable module, or the path of a .py file",
        )

    def _source_file(self, path: str, module: str, root: str) -> _SourceFile:
        if _is_compiled(path):
            raise CodeError(
                "A module that a job imports is compiled, so that nobody can tell what it does.",
                where=path,
                got=f"the file that Python loads for `import {module}`",
                fix="delete it if its source is beside it; else install it as a library, of which "
                "the version counts",
            )
        return _SourceFile(self._name(path), module, root)

    def _name(self, path: str) -> str:
        """Return the path relative to our scripts or, as in a configuration, to the base."""
        above = next((one for one in self._prefixes if path.startswith(one)), "")
        return path.removeprefix(above)

    @cached_property
    def _prefixes(self) -> tuple[str, str]:
        return f"{self.scripts}{os.sep}", f"{self.base.absolute()}{os.sep}"

    def _source(self, name: str, module: str) -> PythonSource:
        path = self.path(name)
        try:
            return self.cache.source(path, module)
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise CodeError(
                "A source file that a job runs cannot be read.",
                where=str(path),
                got=str(error),
                fix="fix the file, or name another one in the configuration",
            ) from error


def _without_code(module: str, importer: str, folder: str) -> CodeError:
    return CodeError(
        "A folder without code has the name of a module that a job imports.",
        where=folder,
        got=f"no Python file in it, but Python takes it for the `{module}` that {importer} imports",
        fix="fetch what belongs there (a submodule: `git submodule update --init`), or rename it",
    )


def _is_compiled(path: str) -> bool:
    return not path.endswith(".py")


def _is_below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _is_installed(module: str) -> bool:
    """Return whether the standard library or an installed one has a module of that name."""
    top = module.partition(".")[0]
    spec = None if top in sys.stdlib_module_names else find_spec(top)
    return top in sys.stdlib_module_names or (spec is not None and spec.origin is not None)
