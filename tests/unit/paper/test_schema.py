"""The files of numbers are as their data package says."""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cactus.paper.paired import COLUMNS as PAIRED_COLUMNS
from cactus.paper.partition_quality import QUALITY_COLUMNS
from cactus.paper.results import COLUMNS
from cactus.paper.schema.package import PACKAGE_FILE, write_package
from tests.unit.paper.conftest import Run

BOOLEANS = {"True": True, "False": False}
READ: dict[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": BOOLEANS.__getitem__,
}


def problems(folder: Path) -> Iterator[str]:
    """Yield where the files of a folder are not as its data package says (Frictionless)."""
    for resource in json.loads((folder / PACKAGE_FILE).read_text())["resources"]:
        name, schema = resource["path"], resource["schema"]
        with (folder / name).open(newline="", encoding=resource["encoding"]) as file:
            reader = csv.DictReader(file)
            rows = list(reader)
        if reader.fieldnames != [field["name"] for field in schema["fields"]]:
            yield f"{name}: columns {reader.fieldnames}"
            continue
        for number, row in enumerate(rows):
            for field in schema["fields"]:
                if fault := _fault(row[field["name"]], field, schema["missingValues"]):
                    yield f"{name}, row {number}, {field['name']}: {fault}"
        keys = Counter(tuple(row[one] for one in schema["primaryKey"]) for row in rows)
        yield from (f"{name}: {key} {times} times" for key, times in keys.items() if times > 1)


def _fault(text: str, field: dict[str, Any], missing: list[str]) -> str:
    limits = dict(field["constraints"])
    required = limits.pop("required")
    if text in missing:
        return "no value" if required else ""
    try:
        value = READ[field["type"]](text)
    except (ValueError, KeyError):
        return f"{text} is no {field['type']}"
    holds = {
        "minimum": lambda limit: value >= limit,
        "maximum": lambda limit: value <= limit,
        "enum": lambda limit: value in limit,
        "pattern": lambda limit: re.fullmatch(limit, value) is not None,
    }
    broken = [name for name, limit in limits.items() if not holds[name](limit)]
    return f"{text} against {', '.join(broken)}" if broken else ""


@pytest.fixture
def folder(seeds_run: Run) -> Path:
    write_package(seeds_run.results.parent)
    return seeds_run.results.parent


def test_the_files_of_a_run_are_as_their_package_says(folder: Path):
    assert list(problems(folder)) == []


def test_the_package_has_the_columns_of_the_code_each_described(folder: Path):
    resources = json.loads((folder / PACKAGE_FILE).read_text())["resources"]
    found = {one["path"]: one["schema"]["fields"] for one in resources}
    names = {path: [field["name"] for field in fields] for path, fields in found.items()}
    assert names == {
        "results.csv": COLUMNS,
        "paired_tests.csv": PAIRED_COLUMNS,
        "partition_quality.csv": QUALITY_COLUMNS,
    }
    fields = [field for one in found.values() for field in one]
    assert all(field["description"].endswith(".") for field in fields)
    fractions = {"mean", "ci95", "std", "paper_mean", "difference"}
    assert {one["unit"] for one in found["results.csv"] if one["name"] in fractions} == {"fraction"}


@pytest.mark.parametrize(
    ("file", "pattern", "new"),
    [
        ("results.csv", r",0\.\d+,", ",1.5,"),
        ("results.csv", r",(test|val),", ",train,"),
        ("results.csv", r"[0-9a-f]{64}", "0"),
        ("results.csv", "omniglot", ""),
        ("results.csv", "shot", "shots"),
        ("paired_tests.csv", r"0\.\d+\n", "nan\n"),
        ("partition_quality.csv", ",purity,", ",pureness,"),
    ],
)
def test_a_value_that_the_package_forbids_is_found(
    folder: Path, tmp_path: Path, file: str, pattern: str, new: str
):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (tmp_path / file).read_text()
    changed = re.sub(pattern, new, text, count=1)
    assert changed != text
    (tmp_path / file).write_text(changed)
    assert list(problems(tmp_path))
