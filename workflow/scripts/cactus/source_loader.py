"""Runs modules from their source, never from bytecode that is cached beside them.

Python takes a ``.pyc`` file for current if the source has the size that it was made from, and the
same time in whole seconds. So a quick edit of equal size could run as the old code, under the hash
of the new one. To compile the package takes a small part of a second.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType


class SourceLoader(SourceFileLoader):
    """Compiles a source file whenever it is loaded.

    Attributes
    ----------
    content
        What was compiled; None before.
    """

    content: bytes | None = None

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the source, as it is now."""
        path = self.get_filename(fullname)
        self.content = self.get_data(path)
        code: CodeType = self.source_to_code(self.content, path)
        return code


def loaded_sources() -> dict[str, bytes]:
    """Return what was compiled for the loaded modules, by the real path of the source."""
    specs = [getattr(module, "__spec__", None) for module in [*sys.modules.values()]]
    loaders = [getattr(spec, "loader", None) for spec in specs]
    return {
        os.path.realpath(one.path): one.content
        for one in loaders
        if isinstance(one, SourceLoader) and one.content is not None
    }


class SourceFinder(MetaPathFinder):
    """Finds the modules of a package, or some files, for `SourceLoader`.

    Parameters
    ----------
    package
        Its name.
    files
        Further source files.
    """

    def __init__(self, package: str, files: Iterable[str] = ()) -> None:
        self.package = package
        self.files = frozenset(map(os.path.realpath, files))

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load a module; None leaves it to Python."""
        ours = fullname.startswith(f"{self.package}.")
        if not ours and not self.files:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            return None
        if not ours and os.path.realpath(spec.loader.path) not in self.files:
            return None
        spec.loader = SourceLoader(fullname, spec.loader.path)
        return spec

    def install(self) -> None:
        """Come before all other finders of this process."""
        sys.meta_path.insert(0, self)
