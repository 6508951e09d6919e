"""Every module, path, key, command and link that the docs name exists."""

import importlib
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from cactus.cli.parser import GROUPS
from cactus.config.models import Config
from tests.workflow.project import ROOT

DOCS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("[a-z]*.md")),  # but not digests, `README.md`
]
SCRIPTS = ROOT / "workflow/scripts"
FOLDERS = {"bench", "config", "docs", "envs", "rules", "slurm", "tests", "workflow", ".ci"}
FILES = [
    path.relative_to(ROOT).as_posix()
    for folder in sorted(FOLDERS)
    for path in (ROOT / folder).rglob("*.py")
]
MODULE = re.compile(r"cactus(\.\w+)+")
KEY = re.compile(r"[a-z_]+(\.([a-z_]+|<[a-z]+>))+")


def spans(text: str) -> list[str]:
    """Return what is in backticks outside code blocks."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]


def commands(text: str) -> list[str]:
    """Return what is in backticks, and the commands in code blocks."""
    return [*spans(text), *re.findall(r"^[$#] (.+)$", text, re.M)]


def words(text: str) -> Iterator[str]:
    """Yield the words in backticks."""
    for span in spans(text):
        yield from span.split()


def missing_modules(names: Iterable[str]) -> list[str]:
    return [name for name in names if not resolves(name)]


def resolves(name: str) -> bool:
    """Return whether a dotted name is a module, or an attribute in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return found is not None
    return False


def missing_paths(names: Iterable[str]) -> list[str]:
    return [name for name in names if is_path(name) and not exists(name)]


def is_path(name: str) -> bool:
    """Return whether a word names a path of the repository."""
    in_folder = name.split("/")[0] in {*FOLDERS, "cactus"} and "/" in name
    named = "<" not in name and "my-study" not in name
    return named and (in_folder or fnmatch(name, "*[a-z].py"))


def exists(name: str) -> bool:
    """Return whether files match a path, which may leave out folders before a module."""
    if name.endswith(".py"):
        return any(fnmatch(f"/{file}", f"*/{name}") for file in FILES)
    root = SCRIPTS if name.startswith("cactus/") else ROOT
    return any(root.glob(name.rstrip("/")))


def missing_keys(names: Iterable[str]) -> list[str]:
    sections = set(Config.model_fields)
    return [
        name
        for name in names
        if KEY.fullmatch(name)
        and name.split(".")[0] in sections
        and not is_key(Config, name.split("."))
        and not any(file.endswith(f"/{name}") for file in FILES)
    ]


def is_key(model: Any, parts: list[str]) -> bool:
    """Return whether a dotted key is in the configuration; ``<name>`` stands for any key."""
    if not parts:
        return True
    fields = [
        field
        for name, field in model.model_fields.items()
        if name == parts[0] or parts[0].startswith("<")
    ]
    children = [child for field in fields for child in nested_models(field.annotation)]
    return any(is_key(child, parts[1:]) for child in children) or (bool(fields) and len(parts) == 1)


def nested_models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a type annotation contains."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from nested_models(argument)


def missing_commands(lines: Iterable[str]) -> list[str]:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    known = cactus_commands()
    return [
        line
        for line in lines
        if any(target not in targets for target in re.findall(r"\bmake ([a-z-]+)", line))
        or any(name not in known for name in re.findall(r"(?<!-)\bcactus ([a-z]+)", line))
    ]


def cactus_commands() -> set[str]:
    """Return the subcommands of `cactus`."""
    return {name for names in GROUPS.values() for name in names}


def missing_links(path: Path) -> list[str]:
    targets = re.findall(r"\]\(([^)#]+)", path.read_text())
    local = [target for target in targets if "://" not in target]
    return [target for target in local if not (path.parent / target).exists()]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_name_in_the_docs_exists(path: Path):
    text = path.read_text()
    names = [word.strip(",;:") for word in words(text)]
    assert missing_modules(name for name in names if MODULE.fullmatch(name)) == []
    assert missing_paths(names) == []
    assert missing_keys(names) == []
    assert missing_commands(commands(text)) == []
    assert missing_links(path) == []


def test_wrong_names_are_found():
    assert missing_modules(["cactus.errors.DataError", "cactus.spec", "cactus.files.no"]) == [
        "cactus.spec",
        "cactus.files.no",
    ]
    assert missing_paths(["cactus/meta/", "lloyd.py", "bench/*.py", "rules/no.smk", "no.py"]) == [
        "rules/no.smk",
        "no.py",
    ]
    keys = ["speed.maml.kernel", "embeddings.<method>.precision", "learners.maml.kernel"]
    assert missing_keys(keys) == ["learners.maml.kernel"]
    assert missing_commands(["make demo", "cactus why x", "make dem", "cactus wy"]) == [
        "make dem",
        "cactus wy",
    ]
