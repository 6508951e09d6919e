"""Checks of modules of one's own before any job: that they and their declared files exist.

The sources are read, not imported: planning runs no code of users and does not wait for PyTorch.
The job checks the values of the keys when it starts.
"""

import ast
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NoReturn

from cactus.errors import CodeError, ConfigError, did_you_mean, printable
from cactus.files import read_bytes
from cactus.own_code import kind_of
from cactus.provenance.fingerprint.class_members import ClassMembers, ClassReader
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.declared import declared_hashes, missing_file
from cactus.provenance.records.reasons import ABSENT

_SHOWN: Final = 80


class OwnModule:
    """The source of a module that the configuration names.

    Parameters
    ----------
    tree
        The project's sources.
    module
        A dotted name, or the path of a .py file.
    where
        Key of its entry, e.g. ``embeddings.custom.mine``.
    what
        What it is, e.g. ``custom embedding``.
    guide
        The page that describes it.
    """

    def __init__(self, tree: SourceTree, module: str, where: str, what: str, guide: str) -> None:
        self._tree, self._module, self._where = tree, module, where
        self._what, self._guide = what, guide

    @cached_property
    def path(self) -> Path:
        """The file; a ConfigError if it does not exist."""
        try:
            path = self._tree.module_path(self._module)
            if path.is_file():
                return path
        except CodeError as error:
            beside = self._tree.base / f"{self._module}.py"
            fix = f"did you mean '{self._module}.py'?" if beside.is_file() else error.fix
        except (OSError, ValueError) as error:
            fix = f"give a name that a file can have ({printable(str(error)[:_SHOWN])})"
        else:
            there = [one.name for one in path.parent.glob("*.py") if one.is_file()]
            fix = did_you_mean(
                path.name,
                there,
                f"give the path of a .py file, starting in {Path(self._tree.base).absolute()}",
            )
        raise ConfigError(
            f"The module of a {self._what} does not exist.",
            where=f"{self._where}.module",
            got=repr(self._module),
            fix=fix,
        )

    def find(self, *names: str) -> dict[str, ClassMembers]:
        """Return the members of classes and functions of the module.

        Raises
        ------
        ConfigError
            It cannot be read, has no such name, or imports relatively.
        """
        try:
            reader = ClassReader(self._tree)
            found = {name: reader.find(self.path, name) for name in names}
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            self.refuse(f"The module of a {self._what} cannot be read.", str(error))
        for node in ast.walk(ast.parse(read_bytes(self.path))):
            relative = isinstance(node, ast.ImportFrom) and node.level
            if relative and self._module.endswith(".py"):
                what = "A module that is given by its path cannot import relatively."
                fix = "leave out the dots: files beside it are found; or give its dotted name"
                self.refuse(what, f"a relative import in line {node.lineno}", fix)  # type: ignore[attr-defined]
        missing = [name for name, members in found.items() if members is None]
        if missing:
            what = f"The module of a {self._what} has no {kind_of(missing[0])} `{missing[0]}`."
            self.refuse(what, f"no `{missing[0]}`")
        return {name: members for name, members in found.items() if members is not None}

    def check_keys(self, found: ClassMembers, given: dict[str, Any]) -> None:
        """Check the names of the keys that are given to the class `Settings`."""
        fields = {
            name: one
            for name, one in found.members.items()
            if isinstance(one, ast.AnnAssign) and name[0] != "_" and not _is_class_variable(one)
        }
        renamed = any(_has_alias(one) for one in fields.values())
        if not found.complete or renamed:
            return  # the job, which imports the class, checks its keys
        for key in given:
            if key not in fields:
                known = ", ".join(sorted(fields)) or "none"
                listed = f"the keys of `Settings` in {self.path} are {known}"
                raise ConfigError(
                    f"A {self._what} has no such key.",
                    where=f"{self._where}.settings.{key}",
                    got=repr(key),
                    fix=did_you_mean(str(key), fields, listed),
                )
        for key, one in fields.items():
            if one.value is None and key not in given and not _may_have_default(one):
                what = f"A key of a {self._what} has no value."
                got = f"`{key}`, which has no default"
                self.refuse(what, got, f"set {self._where}.settings.{key}")

    def check_files(self, declared: Iterable[str]) -> None:
        """Check that the declared data files exist."""
        tree = self._tree
        for file, found in declared_hashes(tree.base, declared, tree.cache).items():
            if found == ABSENT:
                raise missing_file(tree.base, file)

    def refuse(self, what: str, got: str, fix: str = "") -> NoReturn:
        """Raise the error of the module."""
        raise ConfigError(
            what,
            where=f"{self._where}.module",
            got=f"{self.path}: {got}",
            fix=fix or f"correct the module; {self._guide} describes it",
        )


def _is_class_variable(field: ast.AnnAssign) -> bool:
    return "ClassVar" in ast.unparse(field.annotation)


def _may_have_default(field: ast.AnnAssign) -> bool:
    """Return whether the annotation may have it, as ``Annotated[int, Field(default=3)]`` has."""
    calls = [one for one in ast.walk(field.annotation) if isinstance(one, ast.Call)]
    return any(one.args or any("default" in str(key.arg) for key in one.keywords) for one in calls)


def _has_alias(field: ast.AnnAssign) -> bool:
    nodes = ast.walk(field)
    return any(isinstance(one, ast.keyword) and "alias" in str(one.arg) for one in nodes)
