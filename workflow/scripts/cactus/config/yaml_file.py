"""Read YAML files as plain mappings with the line of each key, within a budget.

Only plain data is read: no tags, no dates, no keys twice. Values keep the types that they have in
YAML 1.2, so `1e-3` is a number; what its two versions read differently, like `010`, is refused.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from cactus.config.scalars import AmbiguousScalarError, plain_scalar
from cactus.errors import ConfigError, did_you_mean

KeyPath = tuple[str | int, ...]

_MAX_BYTES: Final = 256 * 1024
_MAX_NODES: Final = 20_000  # after every alias is replaced by what it stands for
_MAX_DEPTH: Final = 30
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_EXAMPLE: Final = "see config/demo.yaml for an example"
_TARGETS: Final = (
    "pass YAML files; targets stand right after `snakemake`, or at the end after ` -- `; "
    f"{_EXAMPLE}"
)
_SUFFIXES: Final = (".yaml", ".yml", ".json", "")


class Document(NamedTuple):
    """The content of a YAML file, and the line of each of its keys and list items."""

    values: dict[str, Any]
    lines: Mapping[KeyPath, int]


class _Node(NamedTuple):
    """A value with its line; `content` holds nodes if it is a mapping or a list."""

    content: Any
    line: int
    size: int = 1


class _RefusedError(Exception):
    """What is wrong in a file, at a line, and what to do about it."""

    def __init__(self, got: str, line: int, fix: str) -> None:
        self.got, self.line, self.fix = got, line, fix
        super().__init__(got)


def read_document(path: Path) -> Document:
    """Read the nested mappings of a YAML file.

    Raises
    ------
    ConfigError
        The file cannot be read, is too large, or does not hold a mapping of plain values.
    """
    return parse_document(_read_text(path), str(path))


def parse_document(text: str, where: str) -> Document:
    """Read the nested mappings of a YAML text; `where` names it in errors."""
    root = _composed(text, where)
    if root is None or not isinstance(root.content, dict):
        raise ConfigError(
            "A configuration file is not a mapping of keys to values.",
            where=where,
            got="an empty file" if root is None or root.content is None else _kind(root.content),
            fix=f"write 'key: value' lines; {_EXAMPLE}",
        )
    return Document(_plain(root), dict(_lines(root, ())))


def parse_value(text: str, where: str) -> Any:
    """Read one value, e.g. of ``--config key=value``; an empty text is null."""
    root = _composed(text, where)
    return None if root is None else _plain(root)


def _composed(text: str, where: str) -> "_Node | None":
    try:
        return _Composer(text).document()
    except _RefusedError as error:
        raise ConfigError(
            "A configuration cannot be read.",
            where=f"{where}:{error.line}",
            got=error.got,
            fix=error.fix,
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigError(
            "A configuration is not valid YAML.",
            where=f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where,
            got=(getattr(error, "problem", None) or " ".join(str(error).split()))[:200],
            fix=f"correct it, and indent it by spaces; {_EXAMPLE}",
        ) from None


def _read_text(path: Path) -> str:
    """Return the text of a regular file of a sensible size."""
    got, fix = "", _TARGETS
    try:
        if path.suffix.lower() not in _SUFFIXES or _is_of_a_run(path):
            raise ValueError("no study, but a target or another file")
        # A pipe without a writer must not block.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                got = "not a regular file"
            elif len(content := file.read(_MAX_BYTES + 1)) > _MAX_BYTES:
                got = f"more than {_MAX_BYTES // 1024} KiB"
            else:
                return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        got, fix = f"byte {error.start}: {error.reason}", "save the file in the encoding UTF-8"
    except (OSError, ValueError) as error:
        got = getattr(error, "strerror", None) or str(error)
        if isinstance(error, FileNotFoundError):
            names = (one.name for one in path.parent.glob("*.y*ml"))
            fix = did_you_mean(path.name, names, _TARGETS)
    raise ConfigError(
        "A configuration file cannot be read.", where=str(path), got=got, fix=fix
    ) from None


def _is_of_a_run(path: Path) -> bool:
    """Return whether a file is a result or a record, and not the configuration of a run."""
    runs = (one for one in path.absolute().parents if (one / "records").is_dir())
    return path.parent.name != "plans" and any((one / "plans").is_dir() for one in runs)


class _Composer:
    """Builds the nodes of a document from its events, within the budget."""

    def __init__(self, text: str) -> None:
        self.events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self.anchors: dict[str, _Node | None] = {}
        self.nodes = 0

    def document(self) -> _Node | None:
        """Return the root; None if there is no document."""
        root = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _RefusedError("a second document", _line(event), "remove the line `---`")
                root = self._node(next(self.events), 0)
        return root

    def _node(self, event: Any, depth: int) -> _Node:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            node = self._anchored(event)
            self._count(node.size, line)
            return node
        if event.tag is not None:
            raise _RefusedError(
                f"the tag {event.tag}"[:100], line, "remove the tag, and write the plain value"
            )
        if depth > _MAX_DEPTH:
            raise _RefusedError(
                f"more than {_MAX_DEPTH} levels", line, "nest mappings and lists less deeply"
            )
        if event.anchor is not None:
            self.anchors[event.anchor] = None  # until it is complete
        if isinstance(event, yaml.ScalarEvent):
            node = _Node(_scalar(event), line)
        elif isinstance(event, yaml.SequenceStartEvent):
            items = [self._node(one, depth + 1) for one in self._until(yaml.SequenceEndEvent)]
            node = _Node(items, line, 1 + sum(item.size for item in items))
        else:
            content = self._mapping(depth)
            node = _Node(content, line, 1 + sum(item.size for item in content.values()))
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self._count(1, line)
        return node

    def _mapping(self, depth: int) -> dict[str, _Node]:
        content: dict[str, _Node] = {}
        merged: dict[str, _Node] = {}
        for event in self._until(yaml.MappingEndEvent):
            line = _line(event)
            key = self._node(event, depth + 1).content
            is_merge = key == "<<" and not getattr(event, "style", None)
            value = self._node(next(self.events), depth + 1)
            if not isinstance(key, str):
                fix = "write the name of a key; put quotes around it if it looks like a value"
                raise _RefusedError(f"the key {_kind(key)}", line, fix)
            if key in content or (is_merge and merged):
                first = f", first at line {content[key].line}" if key in content else ""
                raise _RefusedError(f"the key '{key[:100]}' twice{first}", line, "keep one of them")
            if is_merge:
                merged = _merged(value, line)
            else:
                content[key] = value._replace(line=line)
        return {**merged, **content}

    def _until(self, end: type) -> Iterator[Any]:
        while not isinstance(event := next(self.events), end):
            yield event

    def _anchored(self, event: Any) -> _Node:
        if (node := self.anchors.get(event.anchor)) is None:
            known = event.anchor in self.anchors
            raise _RefusedError(
                f"*{event.anchor[:100]} inside of itself" if known else f"*{event.anchor[:100]}",
                _line(event),
                "write the value out" if known else f"define &{event.anchor[:100]} above",
            )
        return node

    def _count(self, nodes: int, line: int) -> None:
        self.nodes += nodes
        if self.nodes > _MAX_NODES:
            fix = "write fewer of them; an alias counts as all that it stands for"
            raise _RefusedError(f"more than {_MAX_NODES} values", line, fix)


def _merged(value: _Node, line: int) -> dict[str, _Node]:
    """Return the keys that `<<` takes over from a mapping or from several; the first wins."""
    sources = value.content if isinstance(value.content, list) else [value]
    found: dict[str, _Node] = {}
    for source in sources:
        if not isinstance(source.content, dict):
            fix = "name mappings, as in `<<: *defaults`"
            raise _RefusedError(f"<< with {_kind(source.content)}", line, fix)
        found = {**source.content, **found}
    return found


def _scalar(event: Any) -> Any:
    """Return the value of a scalar; quoted ones are text."""
    line = _line(event)
    text: str = event.value
    if bad := next((one for one in text if not one.isprintable() and one not in "\n\t"), None):
        raise _RefusedError(f"the character {bad!a}", line, "remove characters that are not text")
    if not event.implicit[0]:
        return text
    try:
        return plain_scalar(text)
    except AmbiguousScalarError as error:
        raise _RefusedError(text[:100], line, str(error)) from None


def _plain(node: _Node) -> Any:
    match node.content:
        case dict():
            return {key: _plain(item) for key, item in node.content.items()}
        case list():
            return [_plain(item) for item in node.content]
    return node.content


def _lines(node: _Node, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    yield path, node.line
    pairs: Iterable[tuple[str | int, _Node]] = ()
    if isinstance(node.content, dict):
        pairs = node.content.items()
    elif isinstance(node.content, list):
        pairs = enumerate(node.content)
    for key, item in pairs:
        yield from _lines(item, (*path, key))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _kind(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "a text", type(None): "null"}
    return names.get(type(value), str(value)[:100])
