"""Arrays and containers from pickles, without running any code that the pickle names.

A pickle is a program: it may call any importable function. This unpickler accepts only the few
names that pickled NumPy arrays use, and replaces them with stand-ins. NumPy's own functions, which
are private, would allocate arrays of any size and dtype for untrusted bytes; the stand-ins only
wrap the bytes that the pickle holds, and refuse any dtype but numbers.
"""

import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from cactus.data.files.damage import damaged
from cactus.errors import DataError

_NUMBER_TYPE = re.compile(r"[biuf][1248]")
# What unpickling raises on truncated or meaningless programs.
_BROKEN = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)


def load_pickle(file: IO[bytes], path: Path, max_bytes: int) -> Any:
    """Read a pickle of numbers, strings, containers and numeric arrays.

    Strings of Python 2 arrive as bytes. Errors name `path`. At most `max_bytes` bytes may come
    from re-encoding text.

    Raises
    ------
    DataError
        The pickle names any other function, or is damaged.
    """
    try:
        return _resolve(_Unpickler(file, path, max_bytes).load())
    except _BROKEN as error:
        raise damaged(path, f"not a readable pickle: {type(error).__name__}: {error}") from error


class _Dtype:
    """Stand-in for `numpy.dtype`: a type of number and its byte order."""

    def __init__(self, code: str | bytes, *_flags: object) -> None:
        self.code = code.decode("ascii") if isinstance(code, bytes) else code
        self.order = "="
        if not isinstance(self.code, str) or not _NUMBER_TYPE.fullmatch(self.code):
            raise ValueError(f"an array of dtype {self.code!r}, not of numbers")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        self.order = order.decode("ascii") if isinstance(order, bytes) else order
        if self.order not in ("<", ">", "=", "|"):
            raise ValueError(f"an array of byte order {self.order!r}")

    def numpy(self) -> np.dtype[Any]:
        """Return the dtype."""
        return np.dtype(f"{self.order}{self.code}")


class _Array:
    """Stand-in for `numpy.ndarray`, filled by the state that NumPy pickles."""

    def __init__(self, *_arguments: object) -> None:
        self.values: npt.NDArray[Any] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, dtype, fortran, content = state
        self.values = _frombuffer(content, dtype, shape, "F" if fortran else "C")


def _frombuffer(
    content: bytes, dtype: _Dtype, shape: tuple[int, ...], order: str
) -> npt.NDArray[Any]:
    """Return an array over the bytes of a pickle (protocol 5 names this function)."""
    flat = np.frombuffer(content, dtype=dtype.numpy())
    return flat.reshape(shape, order="F" if order == "F" else "C")


def _scalar(dtype: _Dtype, content: bytes) -> Any:
    return np.frombuffer(content, dtype=dtype.numpy())[0].item()


class _Unpickler(pickle.Unpickler):
    """Unpickler that knows only the functions that build NumPy arrays."""

    def __init__(self, file: IO[bytes], path: Path, max_bytes: int) -> None:
        super().__init__(file, encoding="bytes")
        self._path, self._left = path, max_bytes
        self._known: dict[tuple[str, str], Callable[..., Any]] = {
            ("numpy", "ndarray"): _Array,
            ("numpy", "dtype"): _Dtype,
            ("collections", "OrderedDict"): OrderedDict,
            ("_codecs", "encode"): self._encode,
        }
        for core in ("numpy.core", "numpy._core"):
            self._known[f"{core}.multiarray", "_reconstruct"] = _Array
            self._known[f"{core}.multiarray", "scalar"] = _scalar
            self._known[f"{core}.numeric", "_frombuffer"] = _frombuffer

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for a name, or refuse it."""
        known = self._known.get((module, name))
        if known is None:
            raise DataError(
                "A pickle asks for code that no data set needs; it was not run.",
                where=str(self._path),
                got=f"the name {module}.{name}",
                fix="delete the file and get the data from a source that you trust",
            )
        return known

    def _encode(self, text: str, _encoding: str) -> bytes:
        """Return bytes that Python 3 stored as Latin-1 text in an old pickle protocol."""
        self._left -= len(text)
        if self._left < 0:
            raise ValueError("its text unpacks to more than data.max_unpacked_gib")
        return text.encode("latin1")


def _resolve(value: Any, depth: int = 2) -> Any:
    """Replace the stand-ins of arrays, also in a dict and in dicts inside it."""
    if isinstance(value, _Array):
        if value.values is None:
            raise ValueError("an array without content")
        return value.values
    if isinstance(value, dict) and depth > 0:
        return {key: _resolve(item, depth - 1) for key, item in value.items()}
    return value
