"""Names and versions of distributions, normalized for comparison, and the folders they are in."""

import re
import site
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MODULES: Final = ("stdlib", "platstdlib", "purelib", "platlib")  # as `sysconfig` names them


def normalized(distribution: str) -> str:
    """Return the name of a distribution, normalized as in PEP 503."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def public_version(version: str) -> str:
    """Return a version without its local part, which identifies a build, e.g. ``+cu130``."""
    return version.partition("+")[0]


def library_folders() -> Iterator[str]:
    """Yield the folders of Python's own modules and of installed libraries."""
    yield from map(sysconfig.get_path, _MODULES)
    yield from (*site.getsitepackages(), site.getusersitepackages())
    yield from (one for one in sys.path if Path(one).name in ("site-packages", "dist-packages"))
