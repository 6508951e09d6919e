"""The hash of a Python source: of its syntax tree, without comments, docstrings and layout."""

import ast
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

# Functions that import the module that they are told.
_IMPORTING: Final = ("import_module", "__import__")


@dataclass(frozen=True)
class PythonSource:
    """What the content of a source file alone tells.

    Attributes
    ----------
    digest
        sha256 of the syntax tree without docstrings.
    imports
        Dotted names of the modules that the source may import when it runs, also by the functions
        of `importlib` if they are told the name as it is, and of the names that it imports from
        them, which may be modules too.
    """

    digest: str
    imports: tuple[str, ...]


def read_source(text: str | bytes, module: str) -> PythonSource:
    """Return the hash and the imports of a source text.

    Parameters
    ----------
    text
        The source; bytes tell their encoding themselves.
    module
        Dotted name of the module, to resolve relative imports.

    Raises
    ------
    SyntaxError
        The text is not valid Python.
    """
    tree = ast.parse(text)
    imports = tuple(sorted(_imports(tree, module)))
    for node in _blocks(tree):
        _drop_docstring(node)
    return PythonSource(hashlib.sha256(_dump(tree).encode()).hexdigest(), imports)


def _dump(node: Any) -> str:
    """Return a syntax tree as text that is the same in each version of Python from 3.11 on.

    `ast.dump` shows or hides fields that are empty, and new versions have new fields. `repr` of a
    text depends on the version's Unicode. Python 3.12 splits the texts of f-strings otherwise.
    """
    text: list[str] = []
    _write(node, text.append)
    return "".join(text)


def _write(node: Any, write: Callable[[str], None]) -> None:
    """Write a node part by part, which takes half as long as joining the texts of its fields."""
    if isinstance(node, ast.JoinedStr):
        write(f"JoinedStr({', '.join(_parts(node.values))})")
    elif isinstance(node, ast.AST):
        start = f"{type(node).__name__}("
        for name in node._fields:
            value = getattr(node, name, None)
            if value is not None and value != [] and name != "kind":
                write(f"{start}{name}=")
                _write(value, write)
                start = ", "
        write(")" if start == ", " else f"{start})")
    elif isinstance(node, list):
        separator = "["
        for one in node:
            write(separator)
            _write(one, write)
            separator = ", "
        write("]" if node else "[]")
    else:
        write(ascii(node))


def _parts(values: list[ast.expr]) -> Iterator[str]:
    """Yield the parts of an f-string: texts that follow each other as one, and no empty ones."""
    for is_text, parts in groupby(values, lambda one: isinstance(one, ast.Constant)):
        if not is_text:
            yield from map(_dump, parts)
        elif text := "".join(str(getattr(one, "value", "")) for one in parts):
            yield ascii(text)


def _blocks(tree: ast.AST, *, run_only: bool = False) -> Iterator[ast.AST]:
    """Yield a module and all its statements, but not their expressions.

    With `run_only`, skip the body of ``if TYPE_CHECKING:``, also of ``typing.TYPE_CHECKING``.
    """
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        never_runs = run_only and isinstance(node, ast.If) and checks_types(node.test)
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            if not (never_runs and name == "body"):
                waiting += getattr(node, name, ())


def checks_types(test: ast.expr) -> bool:
    """Return whether a condition is that of ``if TYPE_CHECKING:``, which is false in a job."""
    if isinstance(test, ast.Attribute) and isinstance(test.value, ast.Name):
        return test.attr == "TYPE_CHECKING"
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _drop_docstring(node: ast.AST) -> None:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
        del node.body[0]


def _imports(tree: ast.AST, module: str) -> set[str]:
    names: set[str] = set()
    for node in _blocks(tree, run_only=True):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module)
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names if alias.name != "*")
    names.update(_imported_by_calls(tree))
    return names


def _imported_by_calls(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that ``importlib.import_module("...")`` and ``__import__`` are told."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.args[0].value
            function = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if function in _IMPORTING and isinstance(name, str) and _is_absolute(name):
                yield name


def _is_absolute(module: str) -> bool:
    return all(part.isidentifier() for part in module.split("."))


def _absolute(node: ast.ImportFrom, module: str) -> str:
    if not node.level:
        return node.module or ""
    parents = module.split(".")[: -node.level]
    return ".".join([*parents, *filter(None, [node.module])])
