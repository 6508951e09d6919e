"""Traces a printed number back to the raw files."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cactus.data.arrays import load_sources
from cactus.errors import RecordError, did_you_mean_or_known, few
from cactus.provenance.audit.printed import PrintedNumber, ScoringJobs, map_entries, number_map
from cactus.provenance.audit.reading.paper_numbers import (
    KEYS,
    PAPER_NUMBERS_FILE,
    PUBLISHED_COLUMNS,
    published_key,
    read_paper_numbers,
)
from cactus.provenance.audit.reading.results_entries import RESULTS_CSV, results_entries
from cactus.provenance.records.record import Record
from cactus.provenance.staleness.planner import Planner
from cactus.stages.aggregate_results import RESULTS
from cactus.stages.base import Job
from cactus.stages.whole_run.make_paper import PAPER

# Words of a column that say what its number is; without one of them, ours is meant.
_SIDES: Final = {"paper", "ours", "difference", "verdict", "spread", "minus"}
# Files of numbers without a map, by the end of the names of the tables that print them.
_PRINTED_IN: Final = {"paired_tests.csv": "-tests.tex", "partition_quality.csv": "quality.tex"}


@dataclass(frozen=True)
class Trace:
    """A printed number and the records behind it.

    Attributes
    ----------
    file
        The table or figure.
    entry
        The number's entry in the file's map.
    chain
        The jobs behind it, upstream jobs first, each with its record (None if it has none).
    stale
        The jobs of the chain that are not known to be fresh, apart from all other jobs of the run.
    published
        For a number of the paper, or one that is compared with it, the row in the file of published
        numbers: among others its table, its source (``citation``) and whether it was verified.
        None for other numbers.
    """

    file: Path
    entry: dict[str, Any]
    chain: list[tuple[Job, Record | None]]
    stale: tuple[Job, ...]
    published: dict[str, str] | None


def trace(planner: Planner, file: Path, row: str, column: str) -> Trace:
    """Find the records behind a printed number.

    Parameters
    ----------
    file
        A table (``.tex`` or ``results.csv``), figure (``.pdf`` or ``.png``) or report of the
        planner's run.
    row, column
        Words of the titles of its row and column; for the row, also names in the configuration.
        ``5w1s`` stands for ``5-way 1-shot``; the number
        is ours unless the column says ``paper``.

    Raises
    ------
    RecordError
        The file is not a finished table or figure of the run, not exactly one number matches, or a
        published number is no longer in the project's file.
    """
    maker, jobs = _maker(planner, file), planner.graph.jobs
    entry = _entry(_entries(planner, maker, file), file, row, column)
    chain = [RESULTS, *([maker] if maker != RESULTS else [])]
    number = PrintedNumber(maker, _name(planner, file), entry)
    published = _published(planner.project.root, entry)
    scored = [job for row in number.rows for job in ScoringJobs(jobs).of(row)]
    chain = [*dict.fromkeys(job for one in scored for job in planner.graph.ancestry(one)), *chain]
    records = [(job, planner.record(job)) for job in chain]
    alone = replace(planner, only=frozenset(chain))
    stale = tuple(job for job in chain if alone.assess(job).reasons)
    return Trace(file, entry, records, stale, published)


def traceable(planner: Planner, file: Path, row: str | None) -> list[dict[str, Any]]:
    """Return the map entries of the numbers that a file prints, or of the rows that words fit.

    Raises
    ------
    RecordError
        See `trace`.
    """
    found = [one for one in _entries(planner, _maker(planner, file), file) if one["printed"]]
    if not found:
        raise _no_numbers(file)
    if row is None:
        return found
    titles = _titles(found, row)
    if not titles:
        raise _no_row(file, row, found)
    return [one for one in found if one["row"] in titles]


def _name(planner: Planner, file: Path) -> str:
    return os.path.relpath(file.resolve(), planner.run_folder.resolve())


def _maker(planner: Planner, file: Path) -> Job:
    """Return the job that makes a file with numbers."""
    name = _name(planner, file)
    if name == RESULTS_CSV:
        return RESULTS
    makers = [job for job in planner.graph.jobs if number_map(job) is not None]
    maker = next((job for job in makers if name in job.files), None)
    if maker is None:
        known = [RESULTS_CSV, *(one for job in makers for one in job.files[:1])]
        if file.is_file():
            raise _untraceable(file, known)
        raise _not_found("The run has no such table or figure.", file, name, known)
    return maker


def _untraceable(file: Path, known: list[str]) -> RecordError:
    end = _PRINTED_IN.get(file.name)
    every = [one for one in known if one.startswith("tables/")]
    tables = [one for one in every if end and one.endswith(end)]
    which = f"where its numbers are printed, {few(tables)}" if tables else few(every, 10)
    return RecordError(
        "The numbers of this file cannot be traced.",
        where=str(file),
        got="a file that is no table, figure, report or paper of the run",
        fix=f"trace {which}",
    )


def _entries(planner: Planner, maker: Job, file: Path) -> list[dict[str, Any]]:
    """Return the map entries of a file that has been made and prints numbers."""
    numbers = planner.run_folder / (number_map(maker) or RESULTS_CSV)
    if not numbers.exists():
        command = "paper" if maker == PAPER else "update"
        raise RecordError(
            "The table or figure is not finished.",
            where=str(file),
            got=f"no {numbers.name} of it",
            fix=f"finish the run first: `cactus {command} {planner.config.run}`",
        )
    entries = results_entries(numbers) if maker == RESULTS else map_entries(numbers)
    if not entries:
        raise _no_numbers(file)
    return entries


def _no_numbers(file: Path) -> RecordError:
    return RecordError(
        "The file prints no numbers.",
        where=str(file),
        got="a map without numbers",
        fix="name a table, or a figure that prints numbers",
    )


def _published(root: Path, entry: dict[str, Any]) -> dict[str, str] | None:
    """Return the published number that is printed, or that ours is compared with."""
    kind, row = entry["columns"][0], entry["results_row"]
    if kind not in ("paper_mean", "difference", "verdict"):
        return None
    found = read_paper_numbers(root).get(published_key(row))
    if found is None and kind == "verdict":
        return None  # not in the paper
    if found is None:
        raise RecordError(
            "The source of a published number is unknown.",
            where=str(root / PAPER_NUMBERS_FILE),
            got=f"no row {' '.join(published_key(row))}",
            fix="restore the file from the repository",
        )
    return {name: found[name] for name in PUBLISHED_COLUMNS if name not in KEYS}


def _entry(entries: list[dict[str, Any]], file: Path, row: str, column: str) -> dict[str, Any]:
    """Return the map entry of the only number that matches the given words."""
    titles = _titles(entries, row)
    if len(titles) > 1:
        raise _several("rows", file, row, titles)
    if not titles:
        raise _no_row(file, row, entries)
    wanted = _words(re.sub(r"\b(\d+)w(\d+)s\b", r"\1-way \2-shot", column))
    here = [entry for entry in entries if entry["row"] == titles[0]]
    sides = _SIDES & {word for entry in here for word in _words(entry["column"])}
    wanted |= {"ours"} if "ours" in sides and not wanted & sides else set()
    matches = [entry for entry in here if wanted <= _words(entry["column"])]
    columns = list(dict.fromkeys(entry["column"] for entry in matches or here))
    if len(matches) > 1:
        raise _several("columns", file, column, columns)
    if not matches:
        raise _not_found("No column matches.", file, column, columns)
    if not matches[0]["printed"]:
        raise _not_found("That cell is empty.", file, f"{row}, {column}", [])
    return dict(matches[0])


def _titles(entries: list[dict[str, Any]], row: str) -> list[str]:
    """Return the titles of the rows that fit best: by title, else by names of the configuration."""
    wanted = _subwords(row)
    names = {entry["row"]: _names(entry) for entry in entries}
    datasets = {entry["row"]: _subwords(entry["results_row"]["dataset"]) for entry in entries}
    by_title = [title for title in names if wanted <= _subwords(title)]
    equal = [title for title in by_title if title == row]
    equal = equal or [title for title in by_title if wanted == _subwords(title)]
    equal = equal or [title for title in names if wanted | datasets[title] == names[title]]
    by_name = [title for title in by_title or names if wanted <= names[title]]
    mixed = [title for title in names if wanted <= _subwords(title) | names[title]]
    return equal or by_name or by_title or mixed


def _names(entry: dict[str, Any]) -> set[str]:
    """Return the words of the names that the configuration has for a row."""
    row = entry["results_row"]
    return _subwords(" ".join([row["dataset"], row["source"], row.get("method", row["learner"])]))


def _several(what: str, file: Path, got: str, titles: list[str]) -> RecordError:
    fix = f"add words until only one fits: {'; '.join(titles)}"
    got = f"{got!r}, which fits {len(titles)}"
    return RecordError(f"Several {what} match.", where=str(file), got=got, fix=fix)


def _no_row(file: Path, row: str, entries: list[dict[str, Any]]) -> RecordError:
    rows = list(dict.fromkeys(entry["row"] for entry in entries))
    return _not_found("No row matches.", file, row, rows)


def _words(title: str) -> set[str]:
    return set(re.findall(r"[\w-]+", title.lower()))


def _subwords(title: str) -> set[str]:
    return set(re.findall(r"\w+", title.lower()))


def _not_found(what: str, file: Path, got: str, known: list[str]) -> RecordError:
    return RecordError(
        what, where=str(file), got=got, fix=did_you_mean_or_known(got, known, "open the file")
    )


def declared_files(chain: list[tuple[Job, Record | None]]) -> dict[str, str]:
    """Return the sha256 of each data file that code of users in a chain declared and read."""
    records = [record for _, record in chain if record is not None]
    return {name: digest for record in records for name, digest in record.plan.declared.items()}


def raw_files(planner: Planner, chain: list[tuple[Job, Record | None]]) -> Iterator[dict[str, Any]]:
    """Yield the raw files at the start of a chain, as listed in the data set's sources.

    Raises
    ------
    DataError
        The list of sources is missing or damaged.
    """
    for job, record in chain:
        if record is not None and record.plan.raw:
            for raw in load_sources(planner.run_folder / str(job.folder)).raw:
                yield {"dataset": job.cell, **raw.model_dump()}
