"""The operations of pickle programs of plain data.

They are those that picklers write for numbers, text, bytes, lists, tuples and dicts, by the bytes
that `pickletools` documents.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any

from cactus.data.unpickle.machine import PickleMachine
from cactus.data.unpickle.values import (
    UnsupportedError,
    boolean_or_integer,
    integer,
    long_integer,
    quoted,
    raw_unicode,
    real,
    utf8,
)

_UNSUPPORTED: Mapping[bytes, str] = {
    b"2": "a value put twice",
    b"P": "an object outside the file",
    b"Q": "an object outside the file",
    b"\x82": "a registered extension",
    b"\x83": "a registered extension",
    b"\x84": "a registered extension",
    b"i": "an instance of a class",
    b"o": "an instance of a class",
    b"\x81": "an instance of a class",
    b"\x92": "an instance of a class",
    b"\x8f": "a set",
    b"\x90": "a set",
    b"\x91": "a frozenset",
    b"\x97": "a buffer outside the file",
}
_Content = bytes | bytearray
_Operation = Callable[[PickleMachine], object]


def _number(machine: PickleMachine, form: str) -> Any:
    """Read a number of fixed size."""
    return struct.unpack(form, machine.take(struct.calcsize(form)))[0]


def _fixed(form: str) -> _Operation:
    return lambda machine: machine.push(_number(machine, form))


def _sized(form: str, decode: Callable[[_Content], Any] = lambda content: content) -> _Operation:
    return lambda machine: machine.push(decode(machine.take(_number(machine, form))))


def _line(decode: Callable[[bytes], Any]) -> _Operation:
    return lambda machine: machine.push(decode(machine.line()))


def _constant(make: Callable[[], Any]) -> _Operation:
    return lambda machine: machine.push(make())


def _dict(machine: PickleMachine) -> None:
    items = machine.pop_mark()
    machine.push({})
    machine.update(items)


def _global(machine: PickleMachine) -> None:
    module = machine.name()
    machine.push_function(machine.name(), module)


def _set_one(machine: PickleMachine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.update([key, value])


_OPERATIONS: Mapping[bytes, _Operation] = {
    b"\x80": lambda machine: machine.take(1),  # the protocol
    b"\x95": lambda machine: machine.check_size(_number(machine, "<Q")),  # for reading ahead
    b"N": _constant(lambda: None),
    b"\x88": _constant(lambda: True),
    b"\x89": _constant(lambda: False),
    b")": _constant(tuple),
    b"]": _constant(list),
    b"}": _constant(dict),
    b"I": _line(boolean_or_integer),
    b"L": _line(integer),
    b"F": _line(real),
    b"S": _line(quoted),
    b"V": _line(raw_unicode),
    b"J": _fixed("<i"),
    b"K": _fixed("<B"),
    b"M": _fixed("<H"),
    b"G": _fixed(">d"),
    b"\x8a": _sized("<B", long_integer),
    b"\x8b": _sized("<i", long_integer),
    b"T": _sized("<i"),
    b"U": _sized("<B"),
    b"B": _sized("<I"),
    b"C": _sized("<B"),
    b"\x8e": _sized("<Q"),
    b"\x96": _sized("<Q"),
    b"X": _sized("<I", utf8),
    b"\x8c": _sized("<B", utf8),
    b"\x8d": _sized("<Q", utf8),
    b"(": PickleMachine.mark,
    b"0": lambda machine: machine.pop(),
    b"1": lambda machine: machine.pop_mark(),
    b"t": lambda machine: machine.push(tuple(machine.pop_mark())),
    b"\x85": lambda machine: machine.tuple_of(1),
    b"\x86": lambda machine: machine.tuple_of(2),
    b"\x87": lambda machine: machine.tuple_of(3),
    b"l": lambda machine: machine.push(machine.pop_mark()),
    b"a": lambda machine: machine.extend([machine.pop()]),
    b"e": lambda machine: machine.extend(machine.pop_mark()),
    b"d": _dict,
    b"s": _set_one,
    b"u": lambda machine: machine.update(machine.pop_mark()),
    b"p": lambda machine: machine.store(integer(machine.line())),
    b"q": lambda machine: machine.store(machine.take(1)[0]),
    b"r": lambda machine: machine.store(_number(machine, "<I")),
    b"\x94": PickleMachine.memoize,
    b"g": lambda machine: machine.fetch(integer(machine.line())),
    b"h": lambda machine: machine.fetch(machine.take(1)[0]),
    b"j": lambda machine: machine.fetch(_number(machine, "<I")),
    b"c": _global,
    b"\x93": lambda machine: machine.push_function(machine.pop(), machine.pop()),
    b"R": PickleMachine.call,
    b"b": PickleMachine.set_state,
}


def run(machine: PickleMachine) -> Any:
    """Return the value that the program leaves when it stops.

    Raises
    ------
    UnsupportedError
        The program does what pickles of plain data do not do.
    ValueError, LookupError, TypeError, EOFError, struct.error
        The program is damaged.
    """
    while (code := bytes(machine.take(1))) != b".":
        machine.count_step()
        operation = _OPERATIONS.get(code)
        if code in _UNSUPPORTED:
            raise UnsupportedError(f"{_UNSUPPORTED[code]} (operation {code!r})")
        if operation is None:
            raise ValueError(f"{code!r}, which is no operation that is known")
        operation(machine)
    return machine.pop()
