"""Reads what the page of a finished run shows."""

from typing import Any

from cactus.config.printed.titles import Titles
from cactus.errors import DataError
from cactus.files import read_json
from cactus.paper.paired import read_paired
from cactus.paper.partition_quality import read_quality_table
from cactus.paper.results import read_results
from cactus.provenance.records.run_reader import RunReader
from cactus.report.view import RunView
from cactus.stages.aggregate_results import RESULTS
from cactus.stages.whole_run.audit_run import AUDIT

_KEYS = {"findings", "notes", "digest", "jobs", "files", "numbers"}


def finished_view(reader: RunReader, decimals: int, titles: Titles) -> RunView:
    """Return what the page of a finished and audited run shows.

    Parameters
    ----------
    decimals
        Decimals of the percentages.
    titles
        Titles of what the study adds.

    Raises
    ------
    DataError
        A table of numbers or the audit's result is missing or damaged.
    """
    results, paired, quality = (reader.run_folder / name for name in RESULTS.files[:3])
    return RunView(
        reader,
        read_results(results),
        read_paired(paired),
        read_quality_table(quality),
        decimals,
        titles,
        read_audit(reader),
    )


def read_audit(reader: RunReader) -> dict[str, Any]:
    """Return the result of a run's audit.

    Raises
    ------
    DataError
        It is missing or damaged.
    """
    path = reader.run_folder / AUDIT.files[0]
    found = read_json(path)
    if not isinstance(found, dict) or not set(found) >= _KEYS:
        raise DataError(
            "The audit's result is not one.",
            where=str(path),
            got=str(found)[:80],
            fix="delete the file and run the same command again to recreate it",
        )
    return found
