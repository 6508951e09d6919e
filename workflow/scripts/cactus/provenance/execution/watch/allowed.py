"""The files that a job may read, and the folders that it may list, without declaring them."""

import importlib.util
import os
import re
import stat
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from cactus.provenance.execution.running_job import RunningJob
from cactus.provenance.fingerprint.declared import declared_path
from cactus.provenance.fingerprint.distributions import library_folders

# Programs, libraries, devices and settings of the system.
_SYSTEM: Final = (
    "/proc",
    "/sys",
    "/dev",
    "/etc",
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/sbin",
    "/run",
)
# Compiled kernels and lists of fonts, which libraries make themselves.
_CACHES: Final = (
    "~/.cache/matplotlib", "~/.config/matplotlib", "~/.cache/fontconfig", "~/.fonts",
    "~/.local/share/fonts", "$XDG_DATA_HOME/fonts", "~/.cache/torch/kernels",
    "~/.cache/torch_extensions", "~/.triton", "~/.nv", "$MPLCONFIGDIR",
    "$XDG_CONFIG_HOME/matplotlib", "$XDG_CACHE_HOME/matplotlib",
    "$XDG_CACHE_HOME/fontconfig", "$XDG_CACHE_HOME/torch/kernels", "$TORCHINDUCTOR_CACHE_DIR",
    "$TRITON_CACHE_DIR", "$TORCH_EXTENSIONS_DIR", "$CUDA_CACHE_PATH", "$CUDA_HOME",
    "~/.cache/numba", "$XDG_CACHE_HOME/numba", "$NUMBA_CACHE_DIR",
)  # fmt: skip
# Shared libraries, which clusters keep in folders of their own.
_SHARED_LIBRARY: Final = re.compile(r"\.so(\.[0-9.]+)?$")
_NUMBA: Final = re.compile(r"\.nb[ic]$")  # its caches, which it makes of a module's source
_BYTECODE: Final = "__pycache__"
# Folders of a run in which bookkeeping keeps a job's lease, checkpoints, new results and log.
_OWN_FOLDERS: Final = ("work", "states", "logs")
# Where files are handed over in memory: what is there before the job is a file like any other.
_SHARED: Final = ("/dev/shm", "/run/shm")
# File systems of users, such as drives, below folders of the system.
_MOUNTED: Final = ("/run/media", "/run/user", "/run/mount")


class Allowed:
    """What a job may read: its plan's files, libraries, system files, and what it makes itself.

    Parameters
    ----------
    job
        The running job.
    scripts
        Folder of the stages' scripts and of the package `cactus`. Of it, only code is allowed: that
        of the package, and what the plan lists.

    Attributes
    ----------
    start
        The folder in which relative paths of declared files start.
    own_code
        The files of the user's code.
    """

    def __init__(self, job: RunningJob, scripts: Path) -> None:
        self.start = Path.cwd()
        self._started = job.started.timestamp()
        self._package = os.path.realpath(scripts / "cactus")
        own = [str(job.run_folder / name) for name in _OWN_FOLDERS]
        self._folders = tuple(map(os.path.realpath, {*own, *_environment()}))
        files = [job.run_folder / one for one in job.plan.inputs]
        files += [declared_path(self.start, one) for one in (*job.plan.declared, *job.plan.code)]
        files += [scripts / one for one in job.plan.code]
        ours = (f"{job.plan.stage}.py", "cactus/")
        own_code = [one for one in job.plan.code if not one.startswith(ours)]
        self.own_code = {os.path.realpath(one / name) for one in (self.start, scripts)
                         for name in own_code}  # fmt: skip
        self._files = {os.path.realpath(one) for one in files}
        self._around = {*_above(self._files, os.path.realpath(self.start))}
        self._temporary = os.path.realpath(tempfile.gettempdir())

    def file(self, path: str) -> bool:
        """Return whether a file may be read; yes, if there is none."""
        real = os.path.realpath(path)
        cached = f"/{_BYTECODE}/" in real
        if real.endswith(".pyc") and cached:
            real = importlib.util.source_from_cache(real)
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            return True
        if not stat.S_ISREG(status.st_mode) or real in self._files:
            return True
        if self._is_of_the_environment(real) or self._is_made_here(real, status):
            return True
        if is_below(real, self._package) and (cached or real.endswith(".py")):
            return True
        if _NUMBA.search(real):
            return cached
        # One in the project is the user's own: a new build of it would change results.
        return bool(_SHARED_LIBRARY.search(real)) and not is_below(real, str(self.start))

    def folder(self, path: str) -> bool:
        """Return whether a folder may be listed: one with code or declared files, or as above."""
        real = os.path.realpath(path)
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            return True
        searched = {os.path.realpath(one) for one in sys.path}
        if real in self._around or real in searched or Path(real).name == _BYTECODE:
            return True
        made = self._is_made_here(real, status) or real in (self._temporary, *_SHARED)
        return made or is_below(real, self._package) or self._is_of_the_environment(real)

    def _is_of_the_environment(self, real: str) -> bool:
        system = is_below(real, *_SYSTEM) and not is_below(real, *_SHARED, *_MOUNTED)
        return system or is_below(real, *self._folders)

    def _is_made_here(self, real: str, status: os.stat_result) -> bool:
        """Return whether a job made a file, or at least something did after the job started."""
        return is_below(real, self._temporary, *_SHARED) and status.st_ctime >= self._started


def is_below(path: str, *folders: str) -> bool:
    """Return whether a path is one of some folders, or in one."""
    return any(path == one or path.startswith(one.rstrip("/") + "/") for one in folders)


def _above(files: Iterable[str], start: str) -> Iterator[str]:
    """Yield the folders in which files lie, up to those that contain the folder `start`, too."""
    for file in files:
        for folder in map(str, Path(file).parents):
            if is_below(start, folder):
                break
            yield folder


def _environment() -> Iterator[str]:
    """Yield the folders of Python, its libraries and caches."""
    yield from (sys.prefix, sys.base_prefix, *sysconfig.get_paths().values())
    yield from library_folders()
    found = (Path(os.path.expandvars(one)).expanduser() for one in _CACHES)
    yield from (str(one) for one in found if one.is_absolute())
    yield from map(str, Path(tempfile.gettempdir()).glob("torchinductor_*"))
