"""A machine that runs the pickle programs of plain data, with every resource bounded.

A pickle is a program. `pickle.Unpickler` lets it fill a memo of 4 GB with nine bytes, hash nested
tuples for hours, and set attributes. This machine knows only the operations that picklers write
for numbers, text, bytes, lists, tuples and dicts, and calls only functions that it was given.

- Bytes: no operation takes memory for more bytes than the file has.
- Objects: the number of operations is bounded by the bytes that were
- Keys of dicts are str, bytes or small int; nothing else is ever hashed or compared.
- Depth: marks are bounded; nothing recurses into a value.
"""

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import IO, Any

from cactus.data.unpickle.values import (
    boolean_or_integer,
    integer,
    long_integer,
    quoted,
    raw_unicode,
    real,
    set_item,
    utf8,
)

_MAX_BYTES = 4 << 30
_CHUNK = 16 << 20
_FREE_STEPS = 500_000
_BYTES_PER_STEP = 100  # a pickled image has at least 1,000 bytes and takes up to 30 steps
_MAX_MARKS = 1000
_MAX_NAME = 200


class Function:
    """A function that a program may call, pushed when the program names it."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call


class PickleMachine(ABC):
    """Run one pickle.

    Parameters
    ----------
    file
        The pickle; it is read from its position on.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.consumed = 0
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    @abstractmethod
    def find(self, module: str, name: str) -> Function:
        """Return the function of a module, or raise."""

    @abstractmethod
    def build(self, target: object, state: object) -> Any:
        """Set the state of an object and return what replaces it on the stack, or raise."""

    @abstractmethod
    def current(self, value: Any) -> Any:
        """Return what replaces a remembered value, which may have been built since."""

    def run(self) -> Any:
        """Return the value that the program leaves when it stops.

        Raises
        ------
        ValueError, LookupError, TypeError, EOFError, struct.error
            The program is damaged, or does what pickles of data do not do.
        """
        steps = 0
        while (code := bytes(self.take(1))) != b".":
            steps += 1
            if steps > _FREE_STEPS + self.consumed // _BYTES_PER_STEP:
                raise ValueError(f"more than {steps - 1} operations in {self.consumed} bytes")
            operation = _OPERATIONS.get(code)
            if operation is None:
                raise ValueError(f"the operation {code!r}, which pickles of data do not use")
            operation(self)
        return self.pop()

    def take(self, count: int) -> bytes | bytearray:
        """Read exactly so many bytes; what is announced takes no memory before it is there."""
        self.check_size(count)
        content: bytes | bytearray = self._file.read(min(count, _CHUNK))
        if len(content) < count and len(content) == _CHUNK:
            content = bytearray(content)
            while piece := self._file.read(min(count - len(content), _CHUNK)):
                content += piece
        self.consumed += len(content)
        if len(content) < count:
            raise EOFError(f"{count} bytes announced, {len(content)} left in the file")
        return content

    def check_size(self, count: int) -> None:
        """Refuse a negative number of bytes, and more than a pickle may have."""
        if not 0 <= count <= _MAX_BYTES - self.consumed:
            raise ValueError(f"{count} bytes announced, at most {_MAX_BYTES} are read")

    def line(self) -> bytes:
        """Read a line and return it without its end."""
        line = self._file.readline(_MAX_BYTES - self.consumed)
        self.consumed += len(line)
        if not line.endswith(b"\n"):
            raise EOFError("the file ends in a line")
        return line[:-1]

    def name(self) -> str:
        """Read a line that names a module or a function."""
        return self.line()[:_MAX_NAME].decode("utf-8")

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self._stack.append(value)

    def pop(self) -> Any:
        """Take the last value off the stack."""
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise ValueError("an empty stack")
        return self._stack.pop()

    def last(self) -> Any:
        """Return the last value on the stack."""
        self.push(value := self.pop())
        return value

    def mark(self) -> None:
        """Remember the stack's height."""
        if len(self._marks) >= _MAX_MARKS:
            raise ValueError(f"more than {_MAX_MARKS} values inside each other")
        self._marks.append(len(self._stack))

    def pop_mark(self) -> list[Any]:
        """Take the values since the last mark off the stack."""
        start = self._marks.pop()
        values = self._stack[start:]
        del self._stack[start:]
        return values

    def tuple_of(self, count: int) -> None:
        """Replace the last values by a tuple of them."""
        values = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(values)))

    def extend(self, values: list[Any]) -> None:
        """Append values to the list on the stack."""
        target = self.last()
        if type(target) is not list:
            raise ValueError(f"items for a {type(target).__name__}, not a list")
        target.extend(values)

    def update(self, items: list[Any]) -> None:
        """Set keys and values, which alternate, of the dict on the stack."""
        target = self.last()
        for key, value in zip(items[::2], items[1::2], strict=True):
            set_item(target, key, value)

    def store(self, index: int) -> None:
        """Remember the last value under a number."""
        if not 0 <= index <= self.consumed:
            raise ValueError("a memo index out of range")
        self._memo[index] = self.last()

    def memoize(self) -> None:
        """Remember the last value under the next number."""
        self.store(len(self._memo))

    def fetch(self, index: int) -> None:
        """Push the value that was remembered under a number."""
        if index not in self._memo:
            raise LookupError("a memo index that was never stored")
        self.push(self.current(self._memo[index]))

    def push_function(self, name: object, module: object) -> None:
        """Push the function of a module."""
        if type(name) is not str or type(module) is not str:
            raise ValueError("a function whose name is no text")
        self.push(self.find(module[:_MAX_NAME], name[:_MAX_NAME]))

    def call(self) -> None:
        """Call a function with a tuple of arguments, both on the stack."""
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Function) or type(arguments) is not tuple:
            raise ValueError(f"a call of a {type(function).__name__}")
        self.push(function.call(*arguments))

    def set_state(self) -> None:
        """Give an object its state, both on the stack."""
        state, target = self.pop(), self.pop()
        self.push(self.build(target, state))


Content = bytes | bytearray
_Operation = Callable[[PickleMachine], object]


def _number(machine: PickleMachine, form: str) -> Any:
    """Read a number of fixed size."""
    return struct.unpack(form, machine.take(struct.calcsize(form)))[0]


def _fixed(form: str) -> _Operation:
    return lambda machine: machine.push(_number(machine, form))


def _sized(form: str, decode: Callable[[Content], Any] = lambda content: content) -> _Operation:
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


# By the bytes that `pickletools` documents. Left out: persistent ids, extensions, INST, OBJ,
# NEWOBJ, sets, DUP and buffers outside the file, which no pickle of images holds.
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
