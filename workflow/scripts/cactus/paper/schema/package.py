"""The Frictionless data package of a run's numbers (https://datapackage.org)."""

from pathlib import Path
from typing import Any, Final

from cactus.files import write_json
from cactus.paper.schema.field import Field
from cactus.paper.schema.paired import FIELDS as PAIRED
from cactus.paper.schema.paired import KEY as PAIRED_KEY
from cactus.paper.schema.partition_quality import FIELDS as QUALITY
from cactus.paper.schema.partition_quality import KEY as QUALITY_KEY
from cactus.paper.schema.results import FIELDS as RESULTS
from cactus.paper.schema.results import KEY as RESULTS_KEY

PACKAGE_FILE: Final = "datapackage.json"
_TABLES: Final = (
    ("results", "Accuracy of every cell, setting and seed.", RESULTS, RESULTS_KEY),
    ("paired_tests", "Paired tests between methods.", PAIRED, PAIRED_KEY),
    (
        "partition_quality",
        "Partitions of the training images compared with their true classes.",
        QUALITY,
        QUALITY_KEY,
    ),
)


def write_package(folder: Path) -> None:
    """Write the description of the tables beside them."""
    resources = [_resource(*table) for table in _TABLES]
    package = {"profile": "tabular-data-package", "name": "results", "resources": resources}
    write_json(folder / PACKAGE_FILE, package)


def _resource(
    name: str, description: str, fields: tuple[Field, ...], key: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "profile": "tabular-data-resource",
        "name": name,
        "path": f"{name}.csv",
        "description": description,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {
            "fields": [field.descriptor() for field in fields],
            "missingValues": [""],
            "primaryKey": [*key],
        },
    }
