"""The files of code that a job runs: a script, the modules it selects, and all they import."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cactus.errors import CodeError
from cactus.provenance.hashes import HashCache
from cactus.provenance.meaning import Source

# Bookkeeping around a stage's code: it sees files and hashes only, so no result depends on it.
BOOKKEEPING = "cactus.provenance"


@dataclass(frozen=True)
class Closure:
    """All that the code of a job is made of.

    Attributes
    ----------
    files
        Meaning of each source file, by its name: its path below the scripts' folder, or as the
        configuration gives it.
    libraries
        Top-level names of the imported modules that are neither ours nor Python's own.
    """

    files: dict[str, str]
    libraries: frozenset[str]


@dataclass
class SourceTree:
    """Finds and describes source files.

    Parameters
    ----------
    scripts
        Folder of the stages' scripts and of the package `cactus`.
    cache
        Remembers the meaning of files.
    """

    scripts: Path
    cache: HashCache
    _closures: dict[tuple[str, ...], Closure] = field(default_factory=dict)

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

    def meaning(self, name: str) -> str:
        """Return the meaning of one file by its name."""
        return self._describe(name, "").meaning

    def _collect(self, entries: tuple[str, ...]) -> Closure:
        files: dict[str, str] = {}
        libraries: set[str] = set()
        waiting = [self._entry(entry) for entry in entries]
        while waiting:
            name, module, root = waiting.pop()
            if name in files:
                continue
            source = self._describe(name, module)
            files[name] = source.meaning
            for imported in source.imports:
                if imported == BOOKKEEPING or imported.startswith(f"{BOOKKEEPING}."):
                    continue
                found = list(_module_files(imported, root)) or list(
                    _module_files(imported, self.scripts)
                )
                if found:
                    waiting += [(self._name(path), part, root) for part, path in found]
                else:
                    libraries.add(imported.partition(".")[0])
        foreign = libraries - sys.stdlib_module_names - {"", "cactus"}
        return Closure(dict(sorted(files.items())), frozenset(foreign))

    def _entry(self, entry: str) -> tuple[str, str, Path]:
        """Return the name, module and import root of an entry."""
        if entry.endswith(".py"):
            return entry, Path(entry).stem, self.scripts
        for root in (self.scripts, *map(Path, filter(None, sys.path))):
            found = list(_module_files(entry, root))
            if found and found[-1][0] == entry:
                return self._name(found[-1][1]), entry, root
        raise CodeError(
            "A module that a job runs cannot be found.",
            where=entry,
            got="no such file below the scripts' folder or on Python's path",
            fix="give the dotted name of a module that Python finds, or the path of a .py file",
        )

    def _name(self, path: Path) -> str:
        below = path.is_relative_to(self.scripts)
        return path.relative_to(self.scripts).as_posix() if below else str(path)

    def _describe(self, name: str, module: str) -> Source:
        path = self.path(name) if (self.path(name)).is_file() else Path(name)
        try:
            return self.cache.source(path, module)
        except (OSError, SyntaxError, UnicodeDecodeError) as error:
            raise CodeError(
                "A source file that a job runs cannot be read.",
                where=str(path),
                got=str(error),
                fix="mend the file, or name another in the configuration",
            ) from error


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
