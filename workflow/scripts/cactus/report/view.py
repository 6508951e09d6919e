"""What the page of a run shows, and the numbers that it prints."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from cactus.config.printed.titles import Titles
from cactus.paper.vocabulary import method_name
from cactus.provenance.records.record import Record
from cactus.provenance.records.run_reader import RunReader
from cactus.provenance.staleness.status import State
from cactus.stages.base import Job
from cactus.stages.whole_run.audit_run import AUDIT


class MissingCell(NamedTuple):
    """A cell that an unfinished run lacks, its state, and why."""

    name: str
    state: State
    note: str


@dataclass(frozen=True)
class RunView:
    """A run as its page shows it.

    Attributes
    ----------
    reader
        Reads the run's records.
    results, paired, quality
        The tables of results, see `cactus.paper.results.read_results`,
        `cactus.paper.paired.read_paired` and
        `cactus.paper.partition_quality.read_quality_table`. Empty if nothing is scored yet.
    decimals
        Decimals of the percentages.
    titles
        Titles of what the study adds.
    audit
        What the audit found, see `cactus.provenance.audit.report.Report.as_json`; None if it has
        not run.
    prefix
        Path from the page's folder to the run's; empty or ends in a slash.
    missing
        The cells that an unfinished run lacks.
    fresh
        The jobs of an unfinished run whose results count; None if all do.
    """

    reader: RunReader
    results: pd.DataFrame
    paired: pd.DataFrame
    quality: pd.DataFrame
    decimals: int
    titles: Titles
    audit: Mapping[str, Any] | None
    prefix: str = ""
    missing: Sequence[MissingCell] = ()
    fresh: Collection[Job] | None = None

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.reader.run_folder

    @property
    def run(self) -> str:
        """The run's name."""
        return self.reader.config.run

    @property
    def place(self) -> str:
        """What commands call the run: the name of its folder, in which a job makes the page."""
        return self.run if self.fresh is None else self.folder.resolve().name

    @property
    def splits(self) -> str:
        """The splits of the tasks that methods are scored on: mostly ``test``."""
        config = self.reader.config
        found = [config.evaluation.resolve(one).split for one in config.expanded_grid.datasets]
        return " or ".join(
            "test" if one == "test" else "validation" for one in dict.fromkeys(found)
        )

    def link(self, path: str | Path) -> str:
        """Return the address, from the page, of a file of the run; empty if there is none."""
        name = Path(path).relative_to(self.folder) if Path(path).is_absolute() else Path(path)
        return quote(f"{self.prefix}{name.as_posix()}") if (self.folder / name).is_file() else ""

    @property
    def records(self) -> list[Record]:
        """The records of the jobs up to the audit: what follows it does not tell of itself."""
        jobs = self.reader.graph.ancestry(AUDIT)
        return [record for job in jobs if (record := self.record(job)) is not None]

    def counts(self, job: Job) -> bool:
        """Return whether the results of a job are there, and as they should be."""
        return self.record(job) is not None if self.fresh is None else job in self.fresh

    def record(self, job: Job) -> Record | None:
        """Return the record of a job; None if there is no valid one."""
        return self.reader.record(job)

    def row_title(self, dataset: str, source: str, method: str) -> str:
        """Return the name of a row of results, by which `cactus trace` finds its numbers."""
        return self.titles.row(dataset, source, method)

    def cell_title(self, dataset: str, source: str, learner: str, seed: int | str) -> str:
        """Return the printed name of a cell of the grid."""
        return f"{self.row_title(dataset, source, method_name(source, learner))}, seed {seed}"


_MINUS: Final = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Numbers:
    """The numbers of a page, in the order of their map entries."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def show(self, entry: dict[str, Any]) -> Markup:
        """Take a number's map entry, and return its HTML; empty if nothing is printed."""
        if not entry["printed"]:
            return Markup("")
        self.entries.append(entry)
        mean, plus, half = entry["printed"].replace("-", _MINUS).partition(" ± ")
        interval = Markup('<span class="half">{}{}</span>').format(plus, half) if plus else ""
        return Markup('<span class="number" data-number="{}">{}{}</span>').format(
            len(self.entries) - 1, mean, interval
        )


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table."""
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
