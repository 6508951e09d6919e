"""Checks that the printed numbers follow from the accuracies of the episodes."""

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from cactus.paper.vocabulary import method_name
from cactus.provenance.audit.findings import Finding
from cactus.provenance.audit.paper_numbers import CellKey, cell_key, read_paper_numbers
from cactus.provenance.audit.printed import PrintedNumber, map_entries, scoring_jobs
from cactus.provenance.audit.tex import numbers_in_table
from cactus.provenance.staleness.planner import Planner
from cactus.stages.aggregate_results import RESULTS
from cactus.stages.base import Job

# Sums in different order differ by less than this; a printed digit is far larger.
_ROUNDING: Final = 1e-9

SettingKey = tuple[str, int, int]  # method, way, shot


class EpisodeAccuracies:
    """The accuracies of a run's episodes, read directly from the jobs' files."""

    def __init__(self, run_folder: Path) -> None:
        self._run_folder = run_folder
        self._cache: dict[Job, dict[SettingKey, list[float]]] = {}

    def of(self, job: Job) -> dict[SettingKey, list[float]]:
        """Return the accuracies of a scoring job; the method of a meta-learner is an empty string.

        Raises
        ------
        OSError, ValueError, KeyError
            The file cannot be read.
        """
        if job not in self._cache:
            found: dict[SettingKey, list[float]] = defaultdict(list)
            path = self._run_folder / f"{job.folder}/accuracies.csv"
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    key = row.get("method", ""), int(row["way"]), int(row["shot"])
                    found[key].append(float(row["accuracy"]))
            self._cache[job] = dict(found)
        return self._cache[job]

    def summary(self, jobs: Iterable[Job], key: SettingKey) -> dict[str, float]:
        """Average accuracies over jobs; return their mean and half interval over episodes."""
        series = [self.of(job)[key] for job in jobs]
        averaged = [math.fsum(values) / len(values) for values in zip(*series, strict=True)]
        count = len(averaged)
        mean = math.fsum(averaged) / count
        variance = math.fsum((value - mean) ** 2 for value in averaged) / count
        return {"mean": mean, "ci95": 1.96 * math.sqrt(variance / count)}


class ValueCheck:
    """Checks every number of a run, from the table of results to the printed page."""

    def __init__(self, planner: Planner, printed: list[PrintedNumber], jobs: list[Job]) -> None:
        self._planner, self._printed, self._jobs = planner, printed, jobs
        self._episodes = EpisodeAccuracies(planner.run_folder)

    def findings(self) -> Iterator[Finding]:
        """Yield the numbers that do not follow from the episodes, or that a table misprints."""
        yield from self._check_results()
        yield from self._check_maps()
        for one in self._printed:
            yield from self._check_printed(one)
        for job in self._jobs:
            if job.number_map and job.files[0].endswith(".tex"):
                yield from self._check_text(job)

    @cached_property
    def _published(self) -> dict[CellKey, dict[str, str]]:
        return read_paper_numbers(self._planner.project.root)

    def _check_results(self) -> Iterator[Finding]:
        """Recompute every row of the table of results, and check that no seed is missing."""
        file = RESULTS.files[0]
        seeds: dict[CellKey, set[str]] = defaultdict(set)
        try:
            with (self._planner.run_folder / file).open(newline="", encoding="utf-8") as text:
                rows = list(csv.DictReader(text))
            for row in rows:
                seeds[cell_key(row)].add(row["seed"])
                got = self._difference(row, {name: float(row[name]) for name in ("mean", "ci95")})
                if got:
                    yield Finding(
                        "number differs", file, f"{' '.join(cell_key(row))}: {got}", RESULTS
                    )
        except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
            yield Finding("results damaged", file, f"{type(error).__name__}: {error}", RESULTS)
            return
        for cell, found in seeds.items():
            missing = self._expected_seeds(cell) - found
            if missing:
                got = f"{' '.join(cell)}: no seed {', '.join(sorted(missing))}"
                yield Finding("seed missing", file, got, RESULTS)
        for cell in self._expected_cells() - {cell[:4] for cell in seeds}:
            yield Finding("seed missing", file, f"{' '.join(cell)}: no row at all", RESULTS)

    def _expected_cells(self) -> set[tuple[str, ...]]:
        """Return data set, source, method and learner of every cell of the grid."""
        return {
            (one.dataset, one.source, method_name(one.source, one.learner), one.learner)
            for one in self._planner.config.expanded_grid.cells
        }

    def _expected_seeds(self, cell: CellKey) -> set[str]:
        row = dict(zip(("dataset", "source", "method", "learner"), cell, strict=False))
        jobs = scoring_jobs({**row, "seed": "all"}, self._jobs)
        return {job.wildcards["seed"] for job in jobs} | {"all"}

    def _difference(self, row: dict[str, Any], numbers: dict[str, float]) -> str:
        """Return how the numbers of a row of results differ from the episodes; empty if equal."""
        if not scoring_jobs(row, self._jobs):
            return "no job of the grid scores it"
        right = self._summary(row)
        wrong = [
            f"{name} {value!r}, but its episodes give {right[name]!r}"
            for name, value in numbers.items()
            if not abs(value - right[name]) <= _ROUNDING
        ]
        return "; ".join(wrong)

    def _summary(self, row: dict[str, Any]) -> dict[str, float]:
        """Compute the numbers of a row of results from its episodes."""
        method = "" if row["learner"] else str(row["method"])
        key = method, int(row["way"]), int(row["shot"])
        return self._episodes.summary(scoring_jobs(row, self._jobs), key)

    def _check_maps(self) -> Iterator[Finding]:
        for job in self._jobs:
            if job.number_map is not None:
                try:
                    map_entries(self._planner.run_folder / job.number_map)
                except (OSError, ValueError, KeyError, TypeError) as error:
                    yield Finding("map damaged", job.number_map, repr(error), job)

    def _check_printed(self, one: PrintedNumber) -> Iterator[Finding]:
        """Recompute a printed number and compare every digit."""
        try:
            right = self._recomputed(one.entry)
        except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
            right = f"nothing ({type(error).__name__}: {error})"
        if right != one.entry["printed"]:
            got = f"{one.title} prints {one.entry['printed']}, but its source gives {right}"
            yield Finding("number differs", one.file, got, one.job, one)

    def _recomputed(self, entry: dict[str, Any]) -> str:
        row, decimals = entry["results_row"], int(entry["decimals"])
        if entry["columns"][0] == "paper_mean":
            published = self._published[cell_key(row)]
            names = ["accuracy", "ci95"][: len(entry["columns"])]
            values = [float(published[name]) for name in names]
        else:
            summary = self._summary(row)
            values = [entry["scale"] * summary[name] for name in entry["columns"]]
        return " ± ".join(f"{value:.{decimals}f}" for value in values)

    def _check_text(self, job: Job) -> Iterator[Finding]:
        """Compare each number that a table prints with its map."""
        file = job.files[0]
        try:
            entries = map_entries(self._planner.run_folder / job.files[1])
            rows = list(numbers_in_table(self._planner.run_folder / file))
        except (OSError, ValueError, KeyError, TypeError) as error:
            yield Finding("text differs", file, f"cannot be compared with its map: {error!r}", job)
            return
        shown = [cell for row in rows for cell in row]
        if len(shown) != len(entries):
            got = f"{len(shown)} cells, but its map has {len(entries)}"
            yield Finding("text differs", file, got, job)
            return
        for text, entry in zip(shown, entries, strict=True):
            if text != entry["printed"]:
                got = f"{entry['row']}: {entry['column']} shows {text!r}, not {entry['printed']!r}"
                yield Finding("text differs", file, got, job, PrintedNumber(job, file, entry))
