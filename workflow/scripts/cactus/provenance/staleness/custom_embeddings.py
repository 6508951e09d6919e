"""Checks of custom embeddings before any job: their files, classes, methods and keys.

The sources are read, not imported: planning runs no code of users and does not wait for PyTorch.
The job checks the values of the keys when it starts.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from cactus.config.models import Config
from cactus.config.sections.embeddings.section import CustomEmbedding
from cactus.errors import CodeError, ConfigError, did_you_mean, printable
from cactus.files import read_bytes
from cactus.provenance.fingerprint.class_members import (
    ClassMembers,
    ClassReader,
    accepts,
    is_generator,
)
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.declared import declared_hashes, missing_file
from cactus.provenance.records.reasons import ABSENT

# Methods of an embedding, with the number of arguments that they are called with.
_METHODS: Final = {
    "__init__": 4, "total_steps": 1, "fit": 3, "encode": 1, "diagnose": 2, "state_dict": 0,
    "load_state_dict": 1,
}  # fmt: skip
_SHOWN: Final = 80
_DESCRIBED: Final = "docs/adding-an-embedding.md describes it"


def check_custom_embeddings(config: Config, tree: SourceTree) -> None:
    """Check the custom embeddings that the grid uses.

    Raises
    ------
    ConfigError
        A module or declared file does not exist, a module lacks a class or a method, a method
        takes other arguments, or a key is unknown or missing.
    """
    for name, settings in _used(config):
        where = f"embeddings.custom.{name}"
        path = _module(tree, settings.module, where)
        try:
            reader = ClassReader(tree)
            classes = {one: reader.find(path, one) for one in ("Method", "Settings")}
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            _refuse("The module of a custom embedding cannot be read.", where, path, str(error))
        _check_imports(settings.module, where, path)
        for class_name, members in classes.items():
            if members is None:
                what = f"The module of a custom embedding has no class `{class_name}`."
                _refuse(what, where, path, f"no `{class_name}`")
            check = _check_method if class_name == "Method" else _check_keys
            check(members, where, path, settings.settings)
        for file, found in declared_hashes(tree.base, settings.files, tree.cache).items():
            if found == ABSENT:
                raise missing_file(tree.base, file)


def _used(config: Config) -> Iterator[tuple[str, CustomEmbedding]]:
    """Yield the settings of each custom embedding for each data set that it is trained on."""
    runs = dict.fromkeys((run[0], run[1]) for run in config.expanded_grid.embedding_runs)
    for dataset, name in runs:
        settings = config.embeddings.resolve(name, dataset)
        if isinstance(settings, CustomEmbedding):
            yield name, settings


def _module(tree: SourceTree, module: str, where: str) -> Path:
    try:
        path = tree.module_path(module)
        if path.is_file():
            return path
    except CodeError as error:
        beside = tree.base / f"{module}.py"
        fix = f"did you mean '{module}.py'?" if beside.is_file() else error.fix
    except (OSError, ValueError) as error:
        fix = f"give a name that a file can have ({printable(str(error)[:_SHOWN])})"
    else:
        there = [one.name for one in path.parent.glob("*.py") if one.is_file()]
        fix = did_you_mean(
            path.name,
            there,
            f"give the path of a .py file, starting in {Path(tree.base).absolute()}",
        )
    raise ConfigError(
        "The module of a custom embedding does not exist.",
        where=f"{where}.module",
        got=repr(module),
        fix=fix,
    )


def _check_imports(module: str, where: str, path: Path) -> None:
    for node in ast.walk(ast.parse(read_bytes(path))):
        if module.endswith(".py") and isinstance(node, ast.ImportFrom) and node.level:
            what = "A module that is given by its path cannot import relatively."
            fix = "leave out the dots: files beside it are found; or give its dotted name"
            _refuse(what, where, path, f"a relative import in line {node.lineno}", fix)


def _check_method(found: ClassMembers, where: str, path: Path, _: dict[str, Any]) -> None:
    missing = {name for name in _METHODS if found.complete and name not in found.members}
    missing |= found.abstract if found.complete else set()
    if "__new__" in found.members:
        missing.discard("__init__")
    if missing:
        what = "The class `Method` of a custom embedding lacks methods."
        _refuse(what, where, path, f"no {', '.join(sorted(missing))}")
    for name, count in _METHODS.items():
        function = found.members.get(name)
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        place = f"`{name}` in line {function.lineno}"
        if accepts(function, count) is False:
            takes = "no arguments" if not count else f"{count} argument{'s' * (count > 1)}"
            what = "A method of a custom embedding takes other arguments."
            _refuse(what, where, path, f"{place}; it is called with {takes} besides self")
        if isinstance(function, ast.AsyncFunctionDef) or is_generator(function):
            what = "A method of a custom embedding does not return its result."
            _refuse(what, where, path, f"{place} is a generator or a coroutine")


def _check_keys(found: ClassMembers, where: str, path: Path, given: dict[str, Any]) -> None:
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
            raise ConfigError(
                "A custom embedding has no such key.",
                where=f"{where}.settings.{key}",
                got=repr(key),
                fix=did_you_mean(str(key), fields, f"the keys of `Settings` in {path} are {known}"),
            )
    for key, one in fields.items():
        if one.value is None and key not in given and not _may_have_default(one):
            what = "A key of a custom embedding has no value."
            _refuse(
                what, where, path, f"`{key}`, which has no default", f"set {where}.settings.{key}"
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


def _refuse(what: str, where: str, path: Path, got: str, fix: str = "") -> NoReturn:
    raise ConfigError(
        what,
        where=f"{where}.module",
        got=f"{path}: {got}",
        fix=fix or f"correct the module; {_DESCRIBED}",
    )
