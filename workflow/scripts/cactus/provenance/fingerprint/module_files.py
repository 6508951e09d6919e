"""Where the files of modules are, below the folders in which Python would look."""

import os
from dataclasses import dataclass, field
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES
from typing import Final, NamedTuple

# In Python's order. Of this package, only sources are loaded.
_SUFFIXES: Final = (*EXTENSION_SUFFIXES, ".py", *BYTECODE_SUFFIXES)
_OURS: Final = "cactus"


class ModulePlace(NamedTuple):
    """What is there of a module.

    Attributes
    ----------
    files
        Name and path of each package that contains the module and has code, then of the module
        itself, as far as they are there: of the file that Python loads, which may be compiled.
    folder
        Where its own modules would be, if it is a package; else "". A folder without
        ``__init__.py`` is a package without code.
    """

    files: tuple[tuple[str, str], ...]
    folder: str


@dataclass
class ModuleFiles:
    """Looks for modules, once for each: the imports of a project's files ask thousands of times.

    It works on strings, as lookups of a `Path` take several times as long.
    """

    _places: dict[tuple[str, str], ModulePlace] = field(default_factory=dict)

    def place(self, module: str, root: str) -> ModulePlace:
        """Return where a module is below a folder."""
        key = module, root
        if key not in self._places:
            self._places[key] = self._look(module, root)
        return self._places[key]

    def top(self, module: str, root: str) -> ModulePlace:
        """Return where the top-level package of a module is below a folder."""
        return self.place(module.partition(".")[0], root)

    def _look(self, module: str, root: str) -> ModulePlace:
        package, _, name = module.rpartition(".")
        above = self.place(package, root) if package else ModulePlace((), root)
        if not above.folder:
            return above
        stem = os.path.join(above.folder, name)  # noqa: PTH118
        suffixes = (".py",) if module.partition(".")[0] == _OURS else _SUFFIXES
        places = [(f"{stem}/__init__", stem), (stem, "")]
        for path, folder in ((f"{one}{end}", below) for one, below in places for end in suffixes):
            if os.path.isfile(path):  # noqa: PTH113
                return ModulePlace((*above.files, (module, path)), folder)
        return ModulePlace(above.files, stem if os.path.isdir(stem) else "")  # noqa: PTH112
