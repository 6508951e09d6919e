"""Checks of custom embeddings before any job: their files, classes, methods and keys."""

import ast
from collections.abc import Iterator
from typing import Final

from cactus.config.models import Config
from cactus.config.sections.embeddings.section import CustomEmbedding
from cactus.provenance.fingerprint.class_members import ClassMembers, accepts, is_generator
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.staleness.own_modules import OwnModule

# Methods of an embedding, with the number of arguments that they are called with.
_METHODS: Final = {
    "__init__": 4, "total_steps": 1, "fit": 3, "encode": 1, "diagnose": 2, "state_dict": 0,
    "load_state_dict": 1,
}  # fmt: skip


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
        guide = "docs/adding-an-embedding.md"
        module = OwnModule(tree, settings.module, where, "custom embedding", guide)
        classes = module.find("Method", "Settings")
        _check_method(module, classes["Method"])
        module.check_keys(classes["Settings"], settings.settings)
        module.check_files(settings.files)


def _used(config: Config) -> Iterator[tuple[str, CustomEmbedding]]:
    """Yield the settings of each custom embedding for each data set that it is trained on."""
    runs = dict.fromkeys((run[0], run[1]) for run in config.expanded_grid.embedding_runs)
    for dataset, name in runs:
        settings = config.embeddings.resolve(name, dataset)
        if isinstance(settings, CustomEmbedding):
            yield name, settings


def _check_method(module: OwnModule, found: ClassMembers) -> None:
    missing = {name for name in _METHODS if found.complete and name not in found.members}
    missing |= found.abstract if found.complete else set()
    if "__new__" in found.members:
        missing.discard("__init__")
    if missing:
        what = "The class `Method` of a custom embedding lacks methods."
        module.refuse(what, f"no {', '.join(sorted(missing))}")
    for name, count in _METHODS.items():
        function = found.members.get(name)
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        place = f"`{name}` in line {function.lineno}"
        if accepts(function, count) is False:
            takes = "no arguments" if not count else f"{count} argument{'s' * (count > 1)}"
            what = "A method of a custom embedding takes other arguments."
            module.refuse(what, f"{place}; it is called with {takes} besides self")
        if isinstance(function, ast.AsyncFunctionDef) or is_generator(function):
            what = "A method of a custom embedding does not return its result."
            module.refuse(what, f"{place} is a generator or a coroutine")
