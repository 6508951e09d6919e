"""Refuses data files that a job opens although its plan does not list them.

Code of users may read ready-made vectors, weights or lists. Unless they are declared, their
content reaches neither plan nor record, and a replaced file would go unnoticed. Python announces
each file that it opens (PEP 578). Libraries that open files in C do not; so the files that are open
or mapped into memory are looked at several times a second, too.
"""

import importlib.util
import os
import re
import site
import stat
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from cactus.errors import ConfigError
from cactus.provenance.execution.running_job import RunningJob
from cactus.provenance.fingerprint.declared import declared_path

_LOOK_SECONDS: Final = 0.2
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
    "~/.local/share/fonts", "~/.cache/torch/kernels", "~/.cache/torch_extensions", "~/.triton",
    "~/.nv", "$MPLCONFIGDIR", "$XDG_CONFIG_HOME/matplotlib", "$XDG_CACHE_HOME/matplotlib",
    "$XDG_CACHE_HOME/fontconfig", "$XDG_CACHE_HOME/torch/kernels", "$TORCHINDUCTOR_CACHE_DIR",
    "$TRITON_CACHE_DIR", "$TORCH_EXTENSIONS_DIR", "$CUDA_CACHE_PATH", "$CUDA_HOME",
)  # fmt: skip
# Compiled code: shared libraries, which clusters keep in folders of their own, and Numba's caches.
_COMPILED: Final = re.compile(r"\.so(\.[0-9.]+)?$|\.nb[ic]$")
# Folders of a run in which bookkeeping keeps a job's lease, checkpoints, new results and log.
_OWN_FOLDERS: Final = ("work", "states", "logs")
# Opens files in Rust, so that Python does not announce them; in which modules it is known.
_SAFETENSORS: Final = ("safetensors", "safetensors.torch", "safetensors.numpy")


@contextmanager
def declared_files_only(job: RunningJob, where: str, scripts: Path) -> Iterator[None]:
    """Refuse the first file that the block opens for reading and that the job's plan does not list.

    Allowed are the job's code, inputs and declared files, what the job itself writes, Python's
    libraries, system files and caches of compiled kernels.

    Parameters
    ----------
    job
        The running job.
    where
        The configuration key under which files are declared.
    scripts
        Folder of the stages' scripts and of the package `cactus`.

    Raises
    ------
    ConfigError
        A file is not listed. It is raised where the file is opened, and again at the end of the
        block if that was ignored.
    """
    watch = _Watch(job, where, scripts)
    ended = threading.Event()
    looker = threading.Thread(target=watch.look_until, args=(ended,), daemon=True)
    with ExitStack() as stack:
        for name in filter(sys.modules.__contains__, _SAFETENSORS):
            module = sys.modules[name]
            stack.callback(setattr, module, "safe_open", module.safe_open)
            vars(module)["safe_open"] = _announced(watch.opened, module.safe_open)
        stack.callback(ended.set)
        stack.callback(watch.stop)
        sys.addaudithook(watch.hear)  # it cannot be removed, only told to stop
        looker.start()
        try:
            yield
            watch.look()
        except Exception as error:
            if watch.refused is None or error is watch.refused:
                raise
            raise watch.refused from error  # what a library made of the refusal
    if watch.refused is not None:
        raise watch.refused


def _announced(hear: Callable[[Any], None], function: Callable[..., Any]) -> Callable[..., Any]:
    def call(filename: Any, *arguments: Any, **keywords: Any) -> Any:
        hear(filename)
        return function(filename, *arguments, **keywords)

    return call


class _Watch:
    """Hears of opened files and looks for them."""

    def __init__(self, job: RunningJob, where: str, scripts: Path) -> None:
        self.refused: ConfigError | None = None
        self._where, self._active, self._thread = where, True, threading.current_thread()
        self._start = Path.cwd()
        self._started = job.started.timestamp()
        own = [str(job.run_folder / name) for name in _OWN_FOLDERS]
        folders = {*own, str(scripts), *_environment()}
        self._folders = tuple(os.path.realpath(one) for one in folders)
        files = [*(job.run_folder / one for one in job.plan.inputs)]
        files += [declared_path(self._start, one) for one in (*job.plan.declared, *job.plan.code)]
        self._files = {os.path.realpath(one) for one in files}
        self._temporary = os.path.realpath(tempfile.gettempdir())
        self._known = {*_open_now()}

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take one of the interpreter's audit events."""
        if not self._active or event not in ("open", "sqlite3.connect"):
            return
        if self.refused is not None and threading.current_thread() is self._thread:
            raise self.refused  # found meanwhile, or ignored by a library
        if event == "open" and not _reads(arguments[1], arguments[2]):
            return
        self.opened(arguments[0])

    def opened(self, name: Any) -> None:
        """Refuse a file that was opened for reading, unless it is allowed."""
        if self._active and isinstance(name, str | bytes | os.PathLike):
            self._refuse_unless_allowed(str(Path(os.fsdecode(name)).absolute()))
            if self.refused is not None:
                raise self.refused

    def look_until(self, ended: threading.Event) -> None:
        """Look for open and mapped files again and again."""
        while not ended.wait(_LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Look once for files that C code has opened or mapped into memory."""
        for path in _open_now():
            if path not in self._known:
                self._known.add(path)
                self._refuse_unless_allowed(path)

    def stop(self) -> None:
        """Ignore all further events."""
        self._active = False

    def _refuse_unless_allowed(self, path: str) -> None:
        if self._active and self.refused is None and not self._is_allowed(path):
            shown = Path(path)
            below = shown.is_relative_to(self._start)
            name = str(shown.relative_to(self._start) if below else shown)
            code = "import it by an import statement, or " if name.endswith((".py", ".pyc")) else ""
            self.refused = ConfigError(
                "A custom embedding opened a file that it does not declare.",
                where=self._where,
                got=f"{name}, of which plan and record know nothing",
                fix=f"{code}add {name!r}, its folder or a pattern to the list `files` of the "
                "embedding, so that a changed file makes its results stale",
            )

    def _is_allowed(self, path: str) -> bool:
        real = os.path.realpath(path)
        if real.endswith(".pyc") and "__pycache__" in real:
            real = importlib.util.source_from_cache(real)
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            return True  # there is no such file
        if _COMPILED.search(real):
            return True
        if not stat.S_ISREG(status.st_mode) or real in self._files:
            return True
        if _is_below(real, self._temporary) and status.st_ctime >= self._started:
            return True  # made by this job, or at least after it started
        return any(_is_below(real, folder) for folder in self._folders)


def _reads(mode: object, flags: int) -> bool:
    if isinstance(mode, str):
        return "r" in mode or ("+" in mode and "a" in mode)
    return flags & os.O_ACCMODE != os.O_WRONLY and not flags & (os.O_TRUNC | os.O_EXCL)


def _environment() -> Iterator[str]:
    """Yield the folders of Python, its libraries, the system and caches."""
    yield from (sys.prefix, sys.base_prefix, *sysconfig.get_paths().values())
    yield from (*site.getsitepackages(), site.getusersitepackages(), *_SYSTEM)
    yield from (one for one in sys.path if Path(one).name in ("site-packages", "dist-packages"))
    found = (Path(os.path.expandvars(one)).expanduser() for one in _CACHES)
    yield from (str(one) for one in found if one.is_absolute())
    yield from map(str, Path(tempfile.gettempdir()).glob("torchinductor_*"))


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _open_now() -> Iterator[str]:
    """Yield the files that this process reads from or has mapped into memory."""
    try:
        descriptors = list(Path("/proc/self/fd").iterdir())
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return  # no /proc to look in
    for descriptor in descriptors:
        try:
            facts = Path(f"/proc/self/fdinfo/{descriptor.name}").read_text(encoding="utf-8")
            path = str(descriptor.readlink())
        except OSError:
            continue  # closed meanwhile
        flags = next(line.split()[1] for line in facts.splitlines() if line.startswith("flags:"))
        if path.startswith("/") and int(flags, 8) & os.O_ACCMODE != os.O_WRONLY:
            yield path
    for line in maps.splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[5].startswith("/"):
            yield fields[5]
