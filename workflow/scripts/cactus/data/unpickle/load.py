"""Arrays and containers from pickles, without running any code that the pickle names.

A pickle is a program: it may call any importable function. This unpickler accepts only the few
names that pickled NumPy arrays and dicts use, and replaces them with stand-ins. NumPy's own
functions, which are private, would allocate arrays of any size and dtype for untrusted bytes; the
stand-ins only wrap the bytes that the pickle holds, and refuse any dtype but numbers and text.
"""

import math
import re
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from cactus.data.files.damage import damaged
from cactus.data.unpickle.machine import Function, PickleMachine
from cactus.data.unpickle.operations import run
from cactus.data.unpickle.values import UnsupportedError, set_item
from cactus.errors import DataError

_MAX_MESSAGE = 300
_MAX_CODE = 10
_MAX_DIMENSIONS = 32
_MAX_SIDE = 1 << 40
_PLAIN_TYPE = re.compile(r"[biuf][1248]|[SU][0-9]{1,5}")
_SAVE_PLAIN = (
    "if you trust the file, load it with the program that wrote it and save plain arrays, lists "
    "and dicts (docs/data.md); else get the data from another source"
)
# What unpickling raises on truncated or meaningless programs.
_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
    struct.error,
)


def load_pickle(file: IO[bytes], path: Path, limit: int = 4 << 30) -> Any:
    """Read a pickle of numbers, strings, containers and arrays of numbers or text.

    Strings of Python 2 arrive as bytes, NumPy's scalars as Python's, and ordered and default
    dicts as dicts. Memory grows with the bytes of the pickle, at most `limit`. Errors name `path`.

    Raises
    ------
    DataError
        The pickle names any other function, holds other types, or is damaged.
    """
    try:
        return run(_Unpickler(file, path, limit))
    except UnsupportedError as error:
        raise DataError(
            "A pickle holds what no data set needs; it was not read.",
            where=str(path),
            got=str(error)[:_MAX_MESSAGE],
            fix=_SAVE_PLAIN,
        ) from error
    except _BROKEN as error:
        problem = f"{type(error).__name__}: {str(error)[:_MAX_MESSAGE]}"
        raise damaged(path, f"not a readable pickle: {problem}") from error


class _Dtype:
    """Stand-in for `numpy.dtype`: a type of number or text and its byte order."""

    def __init__(self, code: object, *_flags: object) -> None:
        self.code, self.order = _ascii(code), "="
        if not _PLAIN_TYPE.fullmatch(self.code):
            raise UnsupportedError(f"an array of dtype '{self.code}', not of numbers or text")

    def set_state(self, state: tuple[Any, ...]) -> None:
        """Set the byte order."""
        self.order = _ascii(state[1])
        if self.order not in ("<", ">", "=", "|"):
            raise ValueError(f"an array of byte order '{self.order}'")

    def numpy(self) -> np.dtype[Any]:
        """Return the dtype."""
        return np.dtype(f"{self.order}{self.code}")


class _Array:
    """Stand-in for `numpy.ndarray`, filled by the state that NumPy pickles."""

    def __init__(self, *_arguments: object) -> None:
        self.values: npt.NDArray[Any] | None = None

    def set_state(self, state: tuple[Any, ...]) -> None:
        """Set the values."""
        _version, shape, dtype, fortran, content = state
        self.values = _frombuffer(content, dtype, shape, "F" if fortran else "C")


def _ascii(text: object) -> str:
    """Return a short code; Python 2 wrote bytes."""
    code = text.decode("ascii") if isinstance(text, bytes) else text
    if not isinstance(code, str) or len(code) > _MAX_CODE:
        raise ValueError("a dtype that is no short code")
    return code


def _frombuffer(content: object, dtype: object, shape: object, order: object) -> npt.NDArray[Any]:
    """Return an array over the bytes of a pickle (protocol 5 names this function)."""
    if not isinstance(content, bytes | bytearray) or not isinstance(dtype, _Dtype):
        raise ValueError(f"an array over a {type(content).__name__}, not bytes")
    if not isinstance(shape, tuple) or len(shape) > _MAX_DIMENSIONS:
        raise ValueError("an array whose shape is no tuple of sizes")
    if not all(type(side) is int and 0 <= side < _MAX_SIDE for side in shape):
        raise ValueError("an array whose sizes are negative, too large or no numbers")
    kind = dtype.numpy()
    if math.prod(shape) * kind.itemsize != len(content):
        raise ValueError(f"{len(content)} bytes for an array {shape} of {kind}")
    if (
        kind.kind == "U"
        and np.frombuffer(content, f"{dtype.order}u4").max(initial=0) > sys.maxunicode
    ):
        raise ValueError("text with characters that do not exist")
    flat = np.frombuffer(content, dtype=kind) if content else np.empty(0, kind)
    return flat.reshape(shape, order="F" if order == "F" else "C")


def _scalar(dtype: object, content: object) -> Any:
    return _frombuffer(content, dtype, (1,), "C")[0].item()


def _plain_dict(items: object = ()) -> dict[Any, Any]:
    """Return a dict for an ordered one; the oldest protocols give its items in a list."""
    result: dict[Any, Any] = {}
    if type(items) not in (list, tuple):
        raise ValueError("a dict whose items are no list")
    for key, value in items:  # type: ignore[attr-defined]
        set_item(result, key, value)
    return result


class _Unpickler(PickleMachine):
    """The machine, knowing only the functions that build arrays and dicts."""

    def __init__(self, file: IO[bytes], path: Path, limit: int) -> None:
        super().__init__(file, limit)
        self._path, self._encoded = path, 0
        self._known: dict[tuple[str, str], Callable[..., Any]] = {
            ("numpy", "ndarray"): _Array,
            ("numpy", "dtype"): _Dtype,
            ("collections", "OrderedDict"): _plain_dict,
            ("collections", "defaultdict"): lambda _default=None: {},
            ("_codecs", "encode"): self._encode,
        }
        for core in ("numpy.core", "numpy._core"):
            self._known[f"{core}.multiarray", "_reconstruct"] = _Array
            self._known[f"{core}.multiarray", "scalar"] = _scalar
            self._known[f"{core}.numeric", "_frombuffer"] = _frombuffer
        for builtins in ("builtins", "__builtin__"):
            self._known[builtins, "list"] = self._known[builtins, "dict"] = _no_call
            self._known[builtins, "bytes"] = lambda: b""
            self._known[builtins, "range"] = self._known[builtins, "xrange"] = _range

    def find(self, module: str, name: str) -> Function:
        """Return the stand-in for a name, or refuse it."""
        known = self._known.get((module, name))
        if known is None:
            raise DataError(
                "A pickle asks for code that no data set needs; it was not run.",
                where=str(self._path),
                got=f"the name {module}.{name}",
                fix=_SAVE_PLAIN,
            )
        return Function(known)

    def build(self, target: object, state: object) -> Any:
        """Set the state of a stand-in, and return an array for one."""
        if not isinstance(target, _Array | _Dtype) or not isinstance(state, tuple):
            raise ValueError(f"a state for a {type(target).__name__}")
        target.set_state(state)
        return self.current(target)

    def current(self, value: Any) -> Any:
        """Return the array for a stand-in that has its values."""
        return value.values if isinstance(value, _Array) and value.values is not None else value

    def _encode(self, text: object, _encoding: object) -> bytes:
        """Return bytes that Python 3 stored as Latin-1 text in an old pickle protocol."""
        if not isinstance(text, str):
            raise ValueError("bytes from a value that is no text")
        self._encoded += len(text)
        if self._encoded > self.consumed:
            raise ValueError("more bytes from text than the pickle has text")
        return text.encode("latin1")


def _range(*limits: int) -> range:
    if not all(isinstance(limit, int) and abs(limit) < _MAX_SIDE for limit in limits):
        raise ValueError("a range whose limits are too large or no numbers")
    return range(*limits)


def _no_call() -> None:
    """Stand for the type of a default dict's values, which no program needs to call."""
    raise ValueError("a call of a built-in type")
