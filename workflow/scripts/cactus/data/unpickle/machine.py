"""The stack, memo and file of a pickle program, with every resource bounded.

A pickle is a program. `pickle.Unpickler` lets it fill a memo of 4 GB with nine bytes, hash nested
tuples for hours, and set attributes. This machine builds only numbers, text, bytes, lists,
tuples and dicts, and calls only functions that it was given.

- Bytes: no operation takes memory for more bytes than the file has.
- Objects: the number of operations is bounded by the bytes that were read.
- Keys of dicts are str, bytes or small int; nothing else is ever hashed or compared.
- Depth: marks are bounded; nothing recurses into a value.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import IO, Any

from cactus.data.unpickle.values import set_item

_CHUNK = 16 << 20
_FREE_STEPS = 500_000
_BYTES_PER_STEP = 100  # an image of 84x84 pixels has 21,168 and takes up to 30 steps
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
    limit
        How many bytes it may have.
    """

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file, self._limit = file, limit
        self.consumed = self._steps = 0
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

    def count_step(self) -> None:
        """Count an operation; refuse more than so many bytes can need."""
        self._steps += 1
        if self._steps > _FREE_STEPS + self.consumed // _BYTES_PER_STEP:
            raise ValueError(f"more than {self._steps - 1} operations in {self.consumed} bytes")

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
        if not 0 <= count <= self._limit - self.consumed:
            raise ValueError(f"{count} bytes announced, at most {self._limit} are read")

    def line(self) -> bytes:
        """Read a line and return it without its end."""
        line = self._file.readline(self._limit - self.consumed)
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
