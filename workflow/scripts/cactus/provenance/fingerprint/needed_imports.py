"""Which modules a source cannot do without: those whose ``ImportError`` it catches, it can."""

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from cactus.provenance.fingerprint.source_hash import checks_types

_CATCHING: Final = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def needed_imports(text: str | bytes, resolves: Callable[[str], bool]) -> set[str]:
    """Return the top-level names of the modules that a source imports whatever is installed.

    Parameters
    ----------
    text
        The source.
    resolves
        Whether there is a module of a top-level name.
    """
    return set(_needed(ast.parse(text).body, resolves))


def _needed(nodes: Iterable[ast.AST], resolves: Callable[[str], bool]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from [(node.module or "").partition(".")[0]] if not node.level else ()
        elif isinstance(node, ast.Try) and any(map(_catches, node.handlers)):
            tried = {*_needed(node.body, resolves)}
            yield from tried if all(map(resolves, tried)) else _needed(node.handlers, resolves)
            yield from _needed([*node.orelse, *node.finalbody], resolves)
        elif isinstance(node, ast.With) and any(map(_suppresses, node.items)):
            tried = {*_needed(node.body, resolves)}
            yield from tried if all(map(resolves, tried)) else ()
        elif isinstance(node, ast.If) and checks_types(node.test):
            yield from _needed(node.orelse, resolves)
        else:
            yield from _needed(ast.iter_child_nodes(node), resolves)


def _catches(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(kind is None or _is_caught(kind) for kind in kinds)


def _suppresses(item: ast.withitem) -> bool:
    """Return whether a ``with`` has ``suppress(ImportError)``, also of ``contextlib.suppress``."""
    call = item.context_expr
    if not isinstance(call, ast.Call) or _last_name(call.func) != "suppress":
        return False
    return any(map(_is_caught, call.args))


def _is_caught(kind: ast.expr) -> bool:
    return _last_name(kind) in _CATCHING


def _last_name(expression: ast.expr) -> str:
    return ast.unparse(expression).rpartition(".")[2]
