"""Runs modules from their source as it is, not from bytecode that merely looks current.

Python takes a ``.pyc`` file for current if the source has the size that it was made from, and the
same time in whole seconds. So a quick edit of equal size could run as the old code, under the hash
of the new one. Here, bytecode counts only with the hash of the source (PEP 552), which is always
read: to compile the package anew takes a sixth of a short command's time.
"""

import marshal
import os
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash, spec_from_file_location
from types import CodeType, ModuleType
from typing import Final

_CHECKED: Final = (0b11).to_bytes(4, "little")  # bytecode with the hash of its source


class SourceLoader(SourceFileLoader):
    """Loads the code of a source file as it is now.

    Attributes
    ----------
    cached
        Whether bytecode is kept beside the source.
    content
        The source that was loaded; None before.
    """

    cached = False
    content: bytes | None = None

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the source, as it is now."""
        path = self.get_filename(fullname)
        self.content = source = self.get_data(path)
        if not self.cached:
            return self._compiled(source, path)
        header = MAGIC_NUMBER + _CHECKED + source_hash(source)
        cache = cache_from_source(path)
        code = self._kept(cache, header)
        if code is None or code.co_filename != path:  # the folder was moved
            code = self._compiled(source, path)
            if not sys.dont_write_bytecode:
                self.set_data(cache, header + marshal.dumps(code))  # silent where it may not write
        return code

    def _compiled(self, source: bytes, path: str) -> CodeType:
        code: CodeType = self.source_to_code(source, path)
        return code

    def _kept(self, cache: str, header: bytes) -> CodeType | None:
        """Return the bytecode in a file with this header, if there is any."""
        try:
            data = self.get_data(cache)
            code = marshal.loads(data[len(header) :]) if data.startswith(header) else None
        except (OSError, EOFError, ValueError, TypeError):
            return None
        return code if isinstance(code, CodeType) else None


def loaded_sources() -> dict[str, bytes]:
    """Return what was compiled for the loaded modules, by the real path of the source."""
    specs = [getattr(module, "__spec__", None) for module in [*sys.modules.values()]]
    loaders = [getattr(spec, "loader", None) for spec in specs]
    return {
        os.path.realpath(one.path): one.content
        for one in loaders
        if isinstance(one, SourceLoader) and one.content is not None
    }


def _beside(fullname: str, extension: str) -> ModuleSpec | None:
    """Return how to load the source beside compiled code, which Python would prefer."""
    name = fullname.rpartition(".")[2]
    path = os.path.join(os.path.dirname(extension), f"{name}.py")  # noqa: PTH118, PTH120
    return spec_from_file_location(fullname, path) if os.path.isfile(path) else None  # noqa: PTH113


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
        if ours and spec is not None and isinstance(spec.loader, ExtensionFileLoader):
            spec = _beside(fullname, spec.loader.path) or spec
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            return None
        if not ours and os.path.realpath(spec.loader.path) not in self.files:
            return None
        spec.loader = SourceLoader(fullname, spec.loader.path)
        spec.loader.cached = ours  # a folder of a user's is left as it is
        return spec

    def install(self) -> None:
        """Come before all other finders of this process."""
        sys.meta_path.insert(0, self)
