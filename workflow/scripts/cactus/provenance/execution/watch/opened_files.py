"""Refuses data files that a job opens although its plan does not list them.

Code of users may read ready-made vectors, weights or lists. Unless they are declared, their
content reaches neither plan nor record, and a replaced file would go unnoticed. Python announces
each file that it opens, each folder that it lists and each program that it starts (PEP 578).
Libraries that open files in C do not; so the files that are open or mapped into memory are looked
at several times a second, too.
"""

import mmap
import os
import re
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

from cactus.errors import ConfigError
from cactus.provenance.execution.running_job import RunningJob
from cactus.provenance.execution.watch.allowed import Allowed

_LOOK_SECONDS: Final = 0.2
# Functions that open files in C++ or Rust, so that Python does not announce them: the module, the
# name, and the place of the file among the arguments.
_SILENT: Final = (
    ("safetensors", "safe_open", 0),
    ("safetensors.torch", "safe_open", 0),
    ("safetensors.numpy", "safe_open", 0),
    ("torch._C", "import_ir_module", 1),
)
# Events of programs that are started, and the place of the arguments or the shell's line.
_PROGRAMS: Final = {"subprocess.Popen": 1, "os.posix_spawn": 1, "os.exec": 1, "os.system": 0}
_LISTING: Final = ("os.listdir", "os.scandir")
_READING: Final = ("open", "sqlite3.connect", *_LISTING)
_IMPORTING: Final = "<frozen importlib._bootstrap_external>"
_WORD: Final = re.compile(r"[^\s'\"<>|&;()=,]+")
_MOST_SHARED: Final = 4096


@contextmanager
def declared_files_only(job: RunningJob, where: str, scripts: Path) -> Iterator[None]:
    """Refuse the first file that the block reads, or folder that it lists, without a declaration.

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
        for name, function, place in _SILENT:
            if module := sys.modules.get(name):
                stack.callback(setattr, module, function, getattr(module, function))
                announced = _announced(watch.opened, getattr(module, function), place)
                setattr(module, function, announced)
        stack.callback(ended.set)
        stack.callback(watch.stop)
        sys.addaudithook(watch.hear)  # it cannot be removed, only told to stop
        looker.start()
        try:
            yield
            watch.look()
        except Exception as error:
            watch.hear_children()
            if watch.refused is None or error is watch.refused:
                raise
            raise watch.refused from error  # what a library made of the refusal
    if watch.refused is not None:
        raise watch.refused


def _announced(
    hear: Callable[[Any], None], function: Callable[..., Any], place: int
) -> Callable[..., Any]:
    def call(*arguments: Any, **keywords: Any) -> Any:
        hear(arguments[place] if place < len(arguments) else keywords.get("filename"))
        return function(*arguments, **keywords)

    return call


class _Watch:
    """Hears of opened files and looks for them."""

    def __init__(self, job: RunningJob, where: str, scripts: Path) -> None:
        self.refused: ConfigError | None = None
        self._where, self._active, self._thread = where, True, threading.current_thread()
        self._process, self._from_children = os.getpid(), mmap.mmap(-1, _MOST_SHARED)
        self._allowed = Allowed(job, scripts)
        self._known = {*_open_now()}

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take one of the interpreter's audit events."""
        if self._active and event in _PROGRAMS:
            for name in _named_files(event, arguments):
                self.opened(name)
        if not self._active or event not in _READING:
            return
        own = threading.current_thread() is self._thread and os.getpid() == self._process
        if self.refused is not None and own:
            raise self.refused  # found meanwhile, or ignored by a library
        if event == "open" and not _reads(arguments[1], arguments[2]):
            return
        if event not in _LISTING:
            self.opened(arguments[0])
        elif _is_called_from(self._allowed.own_code):  # the package lists folders, too
            self._read("." if arguments[0] is None else arguments[0], self._allowed.folder)

    def opened(self, name: Any) -> None:
        """Refuse a file that was opened for reading, unless it is allowed."""
        self._read(name, self._allowed.file)

    def _read(self, name: Any, allowed: Callable[[str], bool]) -> None:
        if self._active and isinstance(name, str | bytes | os.PathLike):
            self._refuse_unless(allowed, str(Path(os.fsdecode(name)).absolute()))
            if self.refused is not None:
                raise self.refused

    def look_until(self, ended: threading.Event) -> None:
        """Look for open and mapped files again and again."""
        while not ended.wait(_LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Look once for files that C code has opened or mapped into memory."""
        self.hear_children()
        for path in _open_now():
            if path not in self._known:
                self._known.add(path)
                self._refuse_unless(self._allowed.file, path)

    def hear_children(self) -> None:
        """Take over what a process that was forked from this one, such as a loader, was refused."""
        if self.refused is None and (name := bytes(self._from_children).rstrip(b"\0")):
            self.refused = self._error(os.fsdecode(name))

    def stop(self) -> None:
        """Ignore all further events."""
        self._active = False

    def _refuse_unless(self, allowed: Callable[[str], bool], path: str) -> None:
        child = os.getpid() != self._process
        if child:
            self.refused = None  # it may go on, e.g. to send its error; this process will stop
        if self._active and self.refused is None and not allowed(path):
            shown, start = Path(path), self._allowed.start
            below = shown.is_relative_to(start)
            name = str(shown.relative_to(start) if below else shown)
            name += "/" if shown.is_dir() else ""
            self.refused = self._error(name)
            if child:
                content = os.fsencode(name)[:_MOST_SHARED]
                self._from_children[: len(content)] = content

    def _error(self, name: str) -> ConfigError:
        code = "import it by an import statement, or " if name.endswith((".py", ".pyc")) else ""
        return ConfigError(
            "Code of users listed a folder that it does not declare."
            if name.endswith("/")
            else "Code of users opened a file that it does not declare.",
            where=self._where,
            got=f"{name}, of which plan and record know nothing",
            fix=f"{code}add {name!r}, its folder or a pattern to the list `files` of its "
            "entry, so that a changed file makes its results stale",
        )


def _is_called_from(files: Collection[str]) -> bool:
    """Return whether code in one of some files has led to what is heard of in this thread.

    It has not, if Python lists a folder to import from it: the file of the module tells more.
    """
    frame: FrameType | None = sys._getframe(2)
    if frame is not None and frame.f_code.co_filename == _IMPORTING:
        return False
    while frame is not None:
        if os.path.realpath(frame.f_code.co_filename) in files:
            return True
        frame = frame.f_back
    return False


def _reads(mode: object, flags: int) -> bool:
    if isinstance(mode, str):
        return "r" in mode or ("+" in mode and "a" in mode)
    return flags & os.O_ACCMODE != os.O_WRONLY and not flags & (os.O_TRUNC | os.O_EXCL)


def _named_files(event: str, arguments: tuple[Any, ...]) -> Iterator[str]:
    """Yield the words of a program's arguments, or of a shell's line, that name a file."""
    given = arguments[_PROGRAMS[event]]
    folder = arguments[2] if event == "subprocess.Popen" else None
    lines = [given] if isinstance(given, str | bytes | os.PathLike) else list(given)
    if len(lines) > 1 and os.path.isabs(lines[0]):  # noqa: PTH117 - may be bytes
        del lines[0]  # the program, installed somewhere
    for line in map(os.fsdecode, lines):
        for word in {line, *_WORD.findall(line)}:
            path = os.path.join(os.fsdecode(folder or ""), word)  # noqa: PTH118
            if os.path.isfile(path):  # noqa: PTH113 - Path's fails for words that are no names
                yield path


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
