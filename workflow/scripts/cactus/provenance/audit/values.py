"""Checks that the printed numbers follow from the accuracies of the episodes."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from cactus.errors import RecordError, counted, few
from cactus.paper.vocabulary import method_name
from cactus.provenance.audit.comparisons import PAIRED_COLUMNS, PairedTests, against_paper
from cactus.provenance.audit.findings import ROUNDING, Finding, differences
from cactus.provenance.audit.printed import Maps, PrintedNumber, ScoringJobs, number_map
from cactus.provenance.audit.quality import QualityCheck
from cactus.provenance.audit.reading.confusion import (
    ConfusedClasses,
    confusion_of,
    counted_queries,
)
from cactus.provenance.audit.reading.episodes import (
    EpisodeAccuracies,
    accuracies_of,
    setting_of,
)
from cactus.provenance.audit.reading.paper_numbers import (
    KEYS,
    CellKey,
    cell_key,
    published_key,
    read_paper_numbers,
)
from cactus.provenance.audit.reading.rows_of_csv import UnreadError, read_rows
from cactus.provenance.audit.reading.texts import reader_of
from cactus.provenance.staleness.planner import Planner
from cactus.stages.aggregate_results import RESULTS
from cactus.stages.base import Job

_NUMBERS: Final = ("mean", "ci95", "seed_std", "difference", "difference_ci95")
_RESULT_COLUMNS: Final = (*KEYS, "seed", *_NUMBERS, "verdict")


class ValueCheck:
    """Checks every number of a run, from the table of results to the printed page."""

    def __init__(
        self, planner: Planner, maps: Maps, printed: list[PrintedNumber], jobs: list[Job]
    ) -> None:
        self._planner, self._maps, self._printed, self._jobs = planner, maps, printed, jobs
        self._scoring = ScoringJobs(jobs)
        self._episodes = EpisodeAccuracies(planner.run_folder)
        self._quality = QualityCheck(planner.run_folder, jobs)
        self._confused = ConfusedClasses(planner.run_folder)
        self._summaries: dict[tuple[str, ...], dict[str, float | str | None]] = {}
        self._left: dict[str, int] = {}

    def findings(self) -> Iterator[Finding]:
        """Yield the numbers that do not follow from their sources, or that a table misprints."""
        yield from self._check_episodes()
        yield from self._check_results()
        yield from self._check_paired()
        yield from self._quality.findings()
        yield from self._check_maps()
        for one in self._printed:
            yield from self._check_printed(one)
        for job in self._jobs:
            if number_map(job) and (reader := reader_of(job.files[0])):
                yield from self._check_text(job, reader)

    def notes(self) -> Iterator[str]:
        """Yield that numbers were not recomputed; call it after the findings."""
        if self._left:
            numbers, files = counted(sum(self._left.values()), "printed number"), few(self._left)
            yield f"not recomputed: {numbers}, because of what cannot be read: {files}"

    @cached_property
    def _published(self) -> dict[CellKey, dict[str, str]]:
        return read_paper_numbers(self._planner.project.root)

    def _check_episodes(self) -> Iterator[Finding]:
        """Read the accuracies of all episodes, those that no number is printed of too."""
        for job in self._jobs:
            file = accuracies_of(job)
            if job.definition.scores and os.path.lexists(self._planner.run_folder / file):
                try:
                    self._episodes.of(job)
                except UnreadError:  # reported by the check of the results
                    pass
                except RecordError as error:
                    yield Finding("results damaged", file, error.got, job)
                else:
                    yield from self._check_confused(job)

    def _check_confused(self, job: Job) -> Iterator[Finding]:
        """Compare the counts of confused classes with the accuracies of the same episodes."""
        file = confusion_of(job)
        if file in job.files and os.path.lexists(self._planner.run_folder / file):
            try:
                each = counted_queries(self._planner.config, job)
                got = self._confused.difference(job, self._episodes.of(job), each)
            except UnreadError:  # reported by the check of the results
                return
            except RecordError as error:
                got = error.got
            if got:
                yield Finding("results damaged", file, got, job)

    def _check_results(self) -> Iterator[Finding]:
        """Recompute every row of the table of results, and check that no seed is missing."""
        file = RESULTS.files[0]
        seeds: dict[CellKey, set[str]] = defaultdict(set)
        try:
            rows = read_rows(self._planner.run_folder / file, _RESULT_COLUMNS)
        except RecordError as error:
            yield Finding("results damaged", file, error.got, RESULTS)
            return
        for row in rows:
            key, seed = cell_key(row), row["seed"]
            if seed in seeds[key]:
                yield Finding("results damaged", file, f"{' '.join(key)}: {seed} twice", RESULTS)
            seeds[key].add(seed)
            got = self._difference(row)
            if got:
                yield Finding("number differs", file, f"{' '.join(key)}: {got}", RESULTS)
        for cell, found in seeds.items():
            missing = self._expected_seeds(cell) - found
            if missing:
                got = f"{' '.join(cell)}: no seed {', '.join(sorted(missing))}"
                yield Finding("seed missing", file, got, RESULTS)
        for cell in self._expected_cells() - {cell[:4] for cell in seeds}:
            yield Finding("seed missing", file, f"{' '.join(cell)}: no row at all", RESULTS)

    @cached_property
    def _pairs(self) -> PairedTests:
        """The paired tests of the data sets of which all episodes can be read."""
        keys: dict[CellKey, None] = {}
        for job in self._jobs:
            if job.definition.scores and job.wildcards["dataset"] not in self._unread:
                keys |= dict.fromkeys(self._keys(job))
        rows = [dict(zip(KEYS, key, strict=True), seed="all") for key in keys]
        series = {}
        for key, row in zip(keys, rows, strict=True):
            with suppress(RecordError):  # reported by the check of the episodes
                jobs = self._scoring.of(row)
                series[key] = self._episodes.by_seed(jobs, setting_of(row))
        return PairedTests(series)

    @cached_property
    def _unread(self) -> dict[str, UnreadError]:
        """The data sets of which some episodes cannot be read: their p-values depend on all."""
        found = {}
        for job in self._jobs:
            if job.definition.scores:
                with suppress(RecordError):
                    try:
                        self._episodes.of(job)
                    except UnreadError as error:
                        found[job.wildcards["dataset"]] = error
        return found

    def _keys(self, job: Job) -> Iterator[CellKey]:
        """Yield the keys of the rows of results that a scoring job's episodes are part of."""
        with suppress(RecordError):
            names = job.wildcards
            source, learner = names.get("source") or names["embedding"], names.get("learner", "")
            for method, way, shot in self._episodes.of(job):
                name = method or method_name(source, learner)
                yield names["dataset"], source, name, learner, str(way), str(shot)

    def _check_paired(self) -> Iterator[Finding]:
        """Recompute every paired test, and check that none is missing."""
        file = RESULTS.files[1]
        try:
            rows = read_rows(self._planner.run_folder / file, PAIRED_COLUMNS)
        except RecordError as error:
            yield Finding("results damaged", file, error.got, RESULTS)
            return
        known = [row for row in rows if row["dataset"] not in self._unread]
        for got in self._pairs.differences(known, ROUNDING):
            yield Finding("number differs", file, got, RESULTS)

    def _expected_cells(self) -> set[tuple[str, ...]]:
        """Return data set, source, method and learner of every cell of the grid."""
        return {
            (one.dataset, one.source, method_name(one.source, one.learner), one.learner)
            for one in self._planner.config.expanded_grid.cells
        }

    def _expected_seeds(self, cell: CellKey) -> set[str]:
        row = dict(zip(("dataset", "source", "method", "learner"), cell, strict=False))
        jobs = self._scoring.of({**row, "seed": "all"})
        return {job.wildcards["seed"] for job in jobs} | {"all"}

    def _difference(self, row: dict[str, str]) -> str:
        """Return how the numbers of a row of results differ from the episodes; empty if equal."""
        try:
            numbers = {name: float(row[name]) if row[name] else None for name in _NUMBERS}
            found = {**numbers, "verdict": row["verdict"]}
            return differences(found, self._summary(row), "episodes")
        except UnreadError:
            return ""
        except (RecordError, ValueError) as error:
            return _one_line(error)

    def _summary(self, row: dict[str, Any]) -> dict[str, float | str | None]:
        """Compute the numbers of a row of results from its episodes, and from the paper's."""
        key = *cell_key(row), str(row["seed"])
        if (known := self._summaries.get(key)) is not None:
            return known  # tables, figures, the report and the paper print the same numbers
        summary = self._episodes.summary(self._scoring.of(row), setting_of(row))
        published, config = self._published.get(published_key(row)), self._planner.config
        split = config.evaluation.resolve(row["dataset"]).split
        compared = against_paper(summary, published, config.synthetic_data, split)
        found = self._summaries[key] = {**summary, **compared}
        return found

    def _check_maps(self) -> Iterator[Finding]:
        for job in self._jobs:
            if (name := number_map(job)) is not None:
                try:
                    self._maps.of(job)
                except RecordError as error:
                    yield Finding("map damaged", name, error.got, job)

    def _check_printed(self, one: PrintedNumber) -> Iterator[Finding]:
        """Recompute a printed number and compare every digit."""
        try:
            right = self._recomputed(one.entry)
        except UnreadError as error:
            self._left[error.where] = self._left.get(error.where, 0) + 1
            return
        except (RecordError, ValueError, KeyError) as error:
            right = f"nothing ({_one_line(error)})"
        if right != one.entry["printed"]:
            got = f"{one.title} prints {one.entry['printed']}, but its source gives {right}"
            yield Finding("number differs", one.file, got, one.job, one)

    def _recomputed(self, entry: dict[str, Any]) -> str:
        row, decimals = entry["results_row"], entry["decimals"]
        if entry["columns"][0] == "paper_mean":
            published = self._published[published_key(row)]
            names = ["accuracy", "ci95"][: len(entry["columns"])]
            return " ± ".join(f"{float(published[name]):.{decimals}f}" for name in names)
        if entry["columns"] == ["verdict"]:
            return str(self._summary(row)["verdict"])
        if "against" in entry and (unread := self._unread.get(row["dataset"])):
            raise unread
        paired = self._pairs.of(row, entry["against"]) if "against" in entry else None
        numbers = self._numbers(row) if paired is None else paired.printed()
        signs = ["+" if name.endswith("difference") else "" for name in entry["columns"]]
        # The ninth decimal is beyond what sums in different order may change.
        values = [round(entry["scale"] * _number(numbers, name), 9) for name in entry["columns"]]
        shown = [f"{value:{sign}z.{decimals}f}" for value, sign in zip(values, signs, strict=True)]
        return " ± ".join(shown) + (" *" if paired and paired.significant else "")

    def _numbers(self, row: dict[str, Any]) -> Mapping[str, Any]:
        """Compute what is printed of partitions, of two classes, or of a row of results."""
        if "measure" in row:
            return self._quality.summary(row)
        jobs = self._scoring.of(row)
        return self._confused.share(jobs, row) if "predicted" in row else self._summary(row)

    def _check_text(self, job: Job, reader: Callable[[Path], list[str]]) -> Iterator[Finding]:
        """Compare each number that a table or the report prints with its map."""
        file = job.files[0]
        try:
            entries = self._maps.of(job)
            shown = reader(self._planner.run_folder / file)
        except (RecordError, OSError, ValueError) as error:
            got = f"cannot be compared with its map: {_one_line(error)}"
            yield Finding("text differs", file, got, job)
            return
        if len(shown) != len(entries):
            got = f"{len(shown)} cells, but its map has {len(entries)}"
            yield Finding("text differs", file, got, job)
            return
        for text, entry in zip(shown, entries, strict=True):
            if text != entry["printed"]:
                got = f"{entry['row']}: {entry['column']} shows {text!r}, not {entry['printed']!r}"
                yield Finding("text differs", file, got, job, PrintedNumber(job, file, entry))


def _number(numbers: Mapping[str, Any], name: str) -> float:
    value = numbers[name]
    if not isinstance(value, float):
        raise ValueError(f"no number {name}")
    return value


def _one_line(error: Exception) -> str:
    if isinstance(error, RecordError):
        return f"{error.where}: {error.got}"
    return str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
