"""Checks of users' code before any job: its files, classes, methods and keys.

The sources are read, not imported: planning runs no code of users and does not wait for PyTorch.
The job checks the values of the keys when it starts.
"""

import ast
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from cactus.config.models import Config
from cactus.config.sections.data.custom import CustomDataset
from cactus.config.sections.embeddings.section import READY_MADE, CustomEmbedding
from cactus.config.sections.learners.custom import CustomLearner
from cactus.custom_code import DATASET, EMBEDDING, LEARNER, CustomKind, kind_of
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
from cactus.provenance.fingerprint.distributions import is_of_a_library
from cactus.provenance.records.reasons import ABSENT
from cactus.provenance.staleness.places import kind_at

# Methods of each kind of class, with the number of arguments that they are called with.
_METHODS: Final[dict[CustomKind, dict[str, int]]] = {
    EMBEDDING: {
        "__init__": 4, "total_steps": 1, "fit": 3, "encode": 1, "diagnose": 2, "state_dict": 0,
        "load_state_dict": 1,
    },
    DATASET: {},
    LEARNER: {"__init__": 4, "logits": 2, "accumulate_gradients": 2, "accuracies": 2},
}  # fmt: skip
_SHOWN: Final = 80


class _Entry(NamedTuple):
    """An entry of the configuration that names a module of users."""

    kind: CustomKind
    name: str
    settings: CustomEmbedding | CustomLearner | CustomDataset

    @property
    def module(self) -> str:
        """Its module."""
        return str(self.settings.module)

    @property
    def where(self) -> str:
        """Its key."""
        return f"{self.kind.section}.{self.name}"


def check_custom_code(config: Config, tree: SourceTree) -> None:
    """Check the modules of users that the grid uses.

    Raises
    ------
    ConfigError
        A module or declared file does not exist, a module lacks a class, a function or a method, a
        method takes other arguments, or a key is unknown or missing.
    """
    for entry in _used(config):
        path = _module(tree, entry)
        names = (entry.kind.defines, "Settings")
        try:
            reader = ClassReader(tree)
            found = [reader.find(path, one) for one in names]
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            what = f"The module of {entry.kind.what} cannot be read."
            _refuse(what, entry, path, str(error))
        _check_imports(entry, path)
        for name, members, check in zip(names, found, (_check_method, _check_keys), strict=True):
            if members is None:
                what = f"The module of {entry.kind.what} has no {kind_of(name)} `{name}`."
                _refuse(what, entry, path, f"no `{name}`")
            check(members, entry, path)
        files = declared_hashes(tree.base, entry.settings.files, tree.cache)
        for file, digest in files.items():
            if digest == ABSENT:
                key = f"{entry.where}.{'vectors' if entry.module == READY_MADE else 'files'}"
                raise missing_file(tree.base, file, key)


def _used(config: Config) -> Iterator[_Entry]:
    """Yield the settings of each entry for each data set that it is used on."""
    runs = dict.fromkeys((run[0], run[1]) for run in config.expanded_grid.embedding_runs)
    for dataset, name in runs:
        settings = config.embeddings.resolve(name, dataset)
        if isinstance(settings, CustomEmbedding):
            yield _Entry(EMBEDDING, name, settings)
    cells = dict.fromkeys((cell.dataset, cell.learner) for cell in config.expanded_grid.cells)
    for dataset, name in cells:
        learner = config.learners.resolve(name, dataset)
        if isinstance(learner, CustomLearner):
            yield _Entry(LEARNER, name, learner)
    for name in config.expanded_grid.datasets:
        own = config.data.custom.get(name)
        if own is not None and own.module is not None:
            yield _Entry(DATASET, name, own)


def _module(tree: SourceTree, entry: _Entry) -> Path:
    module, got = entry.module, repr(entry.module)
    what, fix = "does not exist", f"give a .py file of your own, from {Path(tree.base).absolute()}"
    try:
        dotted = all(one.isidentifier() for one in module.split("."))
        stem = module.replace(".", "/") if dotted else module.rstrip("/")
        beside = [
            one for one in (f"{stem}.py", f"{stem}/__init__.py") if (tree.base / one).is_file()
        ]
        plain = tree.base / module
        path = tree.module_path(module) if dotted or module.endswith(".py") else plain
        if path.suffix == ".py" and path.is_file():
            if not is_of_a_library(module, path, tree.scripts):
                return path
            what, got = "is a library's, not your own", f"{module!r}, which is {path}"
        elif path.exists():
            what, got = "is no Python source", f"{module!r}, which is {kind_at(path)}"
        else:
            there = [one.name for one in path.parent.glob("*.py") if one.is_file()]
            similar = [
                Path(module).with_name(one) for one in get_close_matches(path.name, there, 1)
            ]
            fix = f"did you mean '{similar[0]}'?" if similar else fix
    except CodeError as error:
        fix = error.fix
        if plain.exists():
            what, got = "is no Python source", f"{module!r}, which is {kind_at(plain)}"
    except (OSError, ValueError) as error:
        beside = []
        fix = f"give a name that a file can have ({printable(str(error)[:_SHOWN])})"
    raise ConfigError(
        f"The module of {entry.kind.what} {what}.",
        where=f"{entry.where}.module",
        got=got,
        fix=f"did you mean '{beside[0]}'?" if beside else fix,
    )


def _check_imports(entry: _Entry, path: Path) -> None:
    module = entry.module
    for node in ast.walk(ast.parse(read_bytes(path))):
        if module.endswith(".py") and isinstance(node, ast.ImportFrom) and node.level:
            what = "A module that is given by its path cannot import relatively."
            fix = "leave out the dots: files beside it are found; or give its dotted name"
            _refuse(what, entry, path, f"a relative import in line {node.lineno}", fix)


def _check_method(found: ClassMembers, entry: _Entry, path: Path) -> None:
    kind, methods = entry.kind, _METHODS[entry.kind]
    missing = {name for name in methods if found.complete and name not in found.members}
    missing |= found.abstract if found.complete else set()
    if "__new__" in found.members:
        missing.discard("__init__")
    if missing:
        what = f"The class `{kind.defines}` of {kind.what} lacks methods."
        _refuse(what, entry, path, f"no {', '.join(sorted(missing))}")
    for name, count in methods.items():
        function = found.members.get(name)
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        place = f"`{name}` in line {function.lineno}"
        if accepts(function, count) is False:
            takes = "no arguments" if not count else f"{count} argument{'s' * (count > 1)}"
            what = f"A method of {kind.what} takes other arguments."
            _refuse(what, entry, path, f"{place}; it is called with {takes} besides self")
        if isinstance(function, ast.AsyncFunctionDef) or is_generator(function):
            what = f"A method of {kind.what} does not return its result."
            _refuse(what, entry, path, f"{place} is a generator or a coroutine")


def _check_keys(found: ClassMembers, entry: _Entry, path: Path) -> None:
    given = entry.settings.settings
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
                f"{entry.kind.what.capitalize()} has no such key.",
                where=f"{entry.where}.settings.{key}",
                got=repr(key),
                fix=did_you_mean(str(key), fields, f"the keys of `Settings` in {path} are {known}"),
            )
    for key, one in fields.items():
        if one.value is None and key not in given and not _may_have_default(one):
            what = f"A key of {entry.kind.what} has no value."
            fix = f"set {entry.where}.settings.{key}"
            _refuse(what, entry, path, f"`{key}`, which has no default", fix)


def _is_class_variable(field: ast.AnnAssign) -> bool:
    return "ClassVar" in ast.unparse(field.annotation)


def _may_have_default(field: ast.AnnAssign) -> bool:
    """Return whether the annotation may have it, as ``Annotated[int, Field(default=3)]`` has."""
    calls = [one for one in ast.walk(field.annotation) if isinstance(one, ast.Call)]
    return any(one.args or any("default" in str(key.arg) for key in one.keywords) for one in calls)


def _has_alias(field: ast.AnnAssign) -> bool:
    nodes = ast.walk(field)
    return any(isinstance(one, ast.keyword) and "alias" in str(one.arg) for one in nodes)


def _refuse(what: str, entry: _Entry, path: Path, got: str, fix: str = "") -> NoReturn:
    raise ConfigError(
        what,
        where=f"{entry.where}.module",
        got=f"{path}: {got}",
        fix=fix or f"correct the module; {entry.kind.guide} describes it",
    )
