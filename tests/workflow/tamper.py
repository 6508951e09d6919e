"""Edits of the files and records of a finished run."""

import csv
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

Action = Callable[[Path], None]
MAML = "omniglot/acai/maml/s0"
PROTONETS = "omniglot/acai/protonets/s0"


def flip(file: str) -> Action:
    """Change a byte in the middle of a file."""

    def apply(run: Path) -> None:
        content = bytearray((run / file).read_bytes())
        content[len(content) // 2] ^= 1
        (run / file).write_bytes(content)

    return apply


def flip_and_set_back_the_clock(file: str) -> Action:
    def apply(run: Path) -> None:
        before = (run / file).stat()
        flip(file)(run)
        os.utime(run / file, ns=(before.st_atime_ns, before.st_mtime_ns))

    return apply


def truncate(file: str) -> Action:
    return lambda run: os.truncate(run / file, (run / file).stat().st_size // 2)


def empty_map(run: Path) -> None:
    (run / "tables/omniglot.tex.map.json").write_text("{}")


def swap(first: str, second: str) -> Action:
    def apply(run: Path) -> None:
        one, other = (run / first).read_bytes(), (run / second).read_bytes()
        (run / first).write_bytes(other)
        (run / second).write_bytes(one)

    return apply


def copy(source: str, target: str) -> Action:
    def apply(run: Path) -> None:
        (run / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run / source, run / target)

    return apply


def remove(file: str) -> Action:
    return lambda run: (run / file).unlink()


def overwrite(file: str, content: bytes) -> Action:
    def apply(run: Path) -> None:
        (run / file).write_bytes(content)

    return apply


def folder_for(file: str) -> Action:
    """Put a folder in the place of a file."""

    def apply(run: Path) -> None:
        (run / file).unlink()
        (run / file).mkdir()

    return apply


def edit(file: str, pattern: str, new: str) -> Action:
    """Replace the first match of a pattern, which must exist."""

    def apply(run: Path) -> None:
        text = (run / file).read_text()
        changed = re.sub(pattern, new, text, count=1)
        assert changed != text, f"{pattern} is not in {file}"
        (run / file).write_text(changed)

    return apply


def forge(job: str, change: Callable[[dict[str, Any]], None] = lambda _: None) -> Action:
    """Rewrite a record to match the current results, with a valid checksum."""

    def apply(run: Path) -> None:
        path = run / f"records/{job}.json"
        record = json.loads(path.read_text())
        record.pop("checksum")
        for name, entity in record["entities"].items():
            content = (run / name).read_bytes()
            entity.update(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        change(record)
        text = json.dumps(record, sort_keys=True, separators=(",", ":"))
        checksum = hashlib.sha256(text.encode()).hexdigest()
        path.write_text(json.dumps({**record, "checksum": checksum}))

    return apply


def both(*actions: Action) -> Action:
    def apply(run: Path) -> None:
        for action in actions:
            action(run)

    return apply


def better_result(run: Path) -> None:
    """Increase one mean in the table of results."""
    path = run / "tables/results.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0]["mean"] = repr(float(rows[0]["mean"]) + 0.01)
    write_rows(path, rows)


def without_a_seed(run: Path) -> None:
    path = run / "tables/results.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    write_rows(path, [row for row in rows if (row["dataset"], row["seed"]) != ("mnist", "1")])


def other_value(file: str, column: str, value: str) -> Action:
    """Replace the first value of a column that is not empty."""

    def apply(run: Path) -> None:
        with (run / file).open(newline="") as open_file:
            rows = list(csv.DictReader(open_file))
        next(row for row in rows if row[column])[column] = value
        write_rows(run / file, rows)

    return apply


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def set_key(*path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(record: dict[str, Any]) -> None:
        inner = record
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value

    return change


def other_code(record: dict[str, Any]) -> None:
    record["activity"]["plan"]["code"]["cactus/meta/maml/learner.py"] = "0" * 64


def other_input(record: dict[str, Any]) -> None:
    record["activity"]["plan"]["inputs"][f"models/{MAML}/model.safetensors"] = "0" * 64


def cut_line(file: str, number: int) -> Action:
    def apply(run: Path) -> None:
        lines = (run / file).read_text().splitlines(keepends=True)
        del lines[number]
        (run / file).write_text("".join(lines))

    return apply


def repeat_line(file: str, number: int) -> Action:
    return lambda run: add_line(file, (run / file).read_text().splitlines()[number])(run)


def add_line(file: str, line: str) -> Action:
    def apply(run: Path) -> None:
        with (run / file).open("a") as open_file:
            open_file.write(line + "\n")

    return apply


class Tampering(NamedTuple):
    """A way to tamper, and the finding that must report it."""

    what: str
    apply: Action
    kind: str
    file: str
