"""What a class defines, as its source says: members, abstract ones, and how they can be called.

Nothing is imported or run. What the source alone does not tell counts as unknown.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cactus.files import read_bytes
from cactus.provenance.fingerprint.closure import SourceTree

# Bases that define no member of interest.
_PLAIN: Final = frozenset({"object", "ABC", "Generic", "Protocol", "BaseModel"})
# Members of a base that is not read.
_MODULE: Final = ("__init__", "state_dict", "load_state_dict")
# Decorators that leave a method's parameters as they are.
_KEEPING: Final = frozenset(
    {"no_grad", "inference_mode", "override", "classmethod", "staticmethod"}
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
# The definition of a member; None if it is not a function, or one that is not known.
Member = ast.stmt | None


@dataclass
class ClassMembers:
    """The members of a class and of its bases.

    Attributes
    ----------
    members
        The definition of each member by name.
    abstract
        Members that a subclass has to define.
    complete
        Whether there can be no others.
    """

    members: dict[str, Member] = field(default_factory=dict)
    abstract: set[str] = field(default_factory=set)
    complete: bool = True


@dataclass(frozen=True)
class ClassReader:
    """Finds classes and reads them."""

    tree: SourceTree

    def find(self, path: Path, name: str) -> ClassMembers | None:
        """Return the members of a class of a module; None if the module has no such name.

        Raises
        ------
        OSError, SyntaxError, ValueError
            A file cannot be read as Python.
        """
        body = list(_statements(ast.parse(read_bytes(path)).body))
        for statement in reversed(body):
            if isinstance(statement, ast.ClassDef) and statement.name == name:
                return self._read(path, statement)
            if isinstance(statement, ast.ImportFrom):
                for alias in statement.names:
                    if (alias.asname or alias.name) == name:
                        return self._imported(path, statement, alias.name)
            if name in _bound(statement):
                value = statement.value if isinstance(statement, ast.Assign) else None
                known = isinstance(value, ast.Name) and value.id != name
                return self.find(path, value.id) if known else ClassMembers(complete=False)  # type: ignore[union-attr]
        return ClassMembers(complete=False) if any(map(_is_open, body)) else None

    def _read(self, path: Path, definition: ast.ClassDef) -> ClassMembers:
        found = ClassMembers(complete=not definition.keywords and not definition.decorator_list)
        names = {_last_name(base) for base in definition.bases}
        for base in reversed(definition.bases):
            # A class may extend an imported one of its own name, which is not looked for.
            own = isinstance(base, ast.Name) and base.id == definition.name
            inherited = ClassMembers(complete=False) if own else self._base(path, base)
            found.members |= inherited.members
            found.abstract |= inherited.abstract
            found.complete &= inherited.complete
        for statement in _statements(definition.body):
            for name in _bound(statement):
                found.members[name] = statement
                is_abstract = "Protocol" in names or "abstractmethod" in _decorators(statement)
                (found.abstract.add if is_abstract else found.abstract.discard)(name)
        return found

    def _base(self, path: Path, base: ast.expr) -> ClassMembers:
        if isinstance(base, ast.Subscript):
            return self._base(path, base.value)
        if _last_name(base) == "Module":
            return ClassMembers(dict.fromkeys(_MODULE))
        known = ClassMembers(complete=_last_name(base) in _PLAIN)
        if isinstance(base, ast.Name):
            found = self.find(path, base.id)
            return known if found is None or (known.complete and not found.complete) else found
        if isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name):
            module = self._module(path, base.value.id)
            return (self.find(module, base.attr) if module else None) or known
        return known

    def _imported(self, path: Path, statement: ast.ImportFrom, name: str) -> ClassMembers:
        module = None if statement.level else self.tree.imported_path(str(statement.module), path)
        return (self.find(module, name) if module else None) or ClassMembers(complete=False)

    def _module(self, path: Path, name: str) -> Path | None:
        """Return the file of a module that another one imports as `name`, if it is ours."""
        for statement in _statements(ast.parse(read_bytes(path)).body):
            for alias in (
                statement.names if isinstance(statement, ast.Import | ast.ImportFrom) else ()
            ):
                if (alias.asname or alias.name) == name:
                    package = (
                        f"{statement.module}." if isinstance(statement, ast.ImportFrom) else ""
                    )
                    return self.tree.imported_path(f"{package}{alias.name}", path)
        return None


def accepts(function: Function, count: int) -> bool | None:
    """Return whether a method takes `count` arguments by position; None if that is unknown."""
    decorators = _decorators(function)
    if not decorators <= _KEEPING:
        return None
    given = function.args
    places = len(given.posonlyargs) + len(given.args) - ("staticmethod" not in decorators)
    if places < 0:
        return given.vararg is not None
    required = any(default is None for default in given.kw_defaults)
    enough = count <= places or given.vararg is not None
    return not required and enough and count >= places - len(given.defaults)


def is_generator(function: Function) -> bool:
    """Return whether a function yields, so that calling it returns a generator."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)
    return False


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements, and those in branches and ``try`` blocks."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try | ast.With):
            for name in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(statement, name, []))
            for handler in getattr(statement, "handlers", []):
                yield from _statements(handler.body)


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.AnnAssign):
        return {statement.target.id} if isinstance(statement.target, ast.Name) else set()
    if isinstance(statement, ast.Assign):
        nodes = (node for target in statement.targets for node in ast.walk(target))
        return {node.id for node in nodes if isinstance(node, ast.Name)}
    if isinstance(statement, ast.Import):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    return set()


def _is_open(statement: ast.stmt) -> bool:
    """Return whether a statement may define any name."""
    star = isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"
    return star or "__getattr__" in _bound(statement)


def _decorators(statement: ast.stmt) -> set[str]:
    found: list[ast.expr] = getattr(statement, "decorator_list", [])
    return {_last_name(one.func if isinstance(one, ast.Call) else one) for one in found}


def _last_name(expression: ast.expr) -> str:
    if isinstance(expression, ast.Subscript):
        return _last_name(expression.value)
    return str(getattr(expression, "attr", getattr(expression, "id", "")))
