"""Names and versions of distributions, normalized for comparison, and what is a library's."""

import re
import site
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

_MODULES: Final = ("stdlib", "platstdlib", "purelib", "platlib")  # as `sysconfig` names them


def normalized(distribution: str) -> str:
    """Return the name of a distribution, normalized as in PEP 503."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


@cache
def packages_distributions() -> Mapping[str, list[str]]:
    """Return the distributions of each installed top-level module, which takes half a second."""
    return metadata.packages_distributions()


def public_version(version: str) -> str:
    """Return a version without its local part, which identifies a build, e.g. ``+cu130``."""
    return version.partition("+")[0]


def library_folders() -> Iterator[str]:
    """Yield the folders of Python's own modules and of installed libraries."""
    yield from map(sysconfig.get_path, _MODULES)
    yield from (*site.getsitepackages(), site.getusersitepackages())
    yield from (one for one in sys.path if Path(one).name in ("site-packages", "dist-packages"))


def is_of_a_library(module: str, path: Path, scripts: Path) -> bool:
    """Return whether a module is Python's own, or lies where libraries are installed.

    Parameters
    ----------
    module
        A dotted name, or the path of a file.
    path
        The file of the module.
    scripts
        Folder of the package `cactus`, which may be installed, too.
    """
    if not module.endswith(".py") and module.partition(".")[0] in sys.stdlib_module_names:
        return True
    real, folders = path.resolve(), (Path(one).resolve() for one in library_folders())
    return not real.is_relative_to(scripts.resolve()) and any(map(real.is_relative_to, folders))
