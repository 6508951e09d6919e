"""What a Python source means: its syntax tree, without comments, docstrings and layout."""

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A source file, described by its content alone.

    Attributes
    ----------
    meaning
        sha256 that is the same for every text with the same syntax tree, docstrings aside.
    imports
        Dotted names that the source may import, each with the names taken from it: a name taken
        may be a module or an attribute.
    """

    meaning: str
    imports: tuple[str, ...]


def describe(text: str, module: str) -> Source:
    """Return the meaning and the imports of a source text.

    Parameters
    ----------
    text
        The source.
    module
        Dotted name of the module, from which relative imports start.

    Raises
    ------
    SyntaxError
        The text is not valid Python.
    """
    tree = ast.parse(text)
    imports = tuple(sorted(_imports(tree, module)))
    for node in _blocks(tree):
        _drop_docstring(node)
    return Source(hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imports)


def _blocks(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield a module and all its statements, whose expressions need not be searched."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, name, ())


def _drop_docstring(node: ast.AST) -> None:
    if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    first = node.body[0] if node.body else None
    value = first.value if isinstance(first, ast.Expr) else None
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        del node.body[0]


def _imports(tree: ast.AST, module: str) -> set[str]:
    names: set[str] = set()
    for node in _blocks(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module)
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names if alias.name != "*")
    return names


def _absolute(node: ast.ImportFrom, module: str) -> str:
    if not node.level:
        return node.module or ""
    parents = module.split(".")[: -node.level]
    return ".".join([*parents, *filter(None, [node.module])])
