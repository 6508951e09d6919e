"""``cactus results``: the accuracies of a run's cells, with their intervals."""

import argparse
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from shlex import quote
from typing import Any, Final, NamedTuple

from cactus.cli.text import columns, print_json
from cactus.closed import closed_on_the_way
from cactus.config.printed.titles import Titles
from cactus.errors import ConfigError, DataError, RecordError, counted, did_you_mean_or_known, few
from cactus.files import read_json
from cactus.paper.vocabulary import SYNTHETIC_NOTE, method_name, method_rank, source_rank
from cactus.provenance.records.record import record_path
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.run_folders import planned_folder
from cactus.provenance.staleness.status import State, listed_states, worst
from cactus.stages.base import Job
from cactus.stages.run_baselines import STAGE as BASELINES
from cactus.stages.run_baselines import baseline_cell

_SUMMARY: Final = "summary.json"
_NOTE: Final = "accuracies in percent, ± 1.96 standard deviations / sqrt(episodes)"
# How the methods begin whose rows come first, in this order; the rest are baselines.
_FIRST: Final = ("cactus-", "oracle-", "scratch")
_SETTING: Final = re.compile(r"(\d+)[ -]?w(?:ay)?[ ,]*(\d+)[ -]?s(?:hot)?", re.IGNORECASE)


class Accuracy(NamedTuple):
    """An accuracy that a job has measured; fractions, not percent.

    Attributes
    ----------
    cell
        The cell; of baselines, the embedding's cell with the method before the seed.
    method
        See `cactus.paper.vocabulary.method_name`; of baselines, their name in the configuration.
    way, shot, episodes
        Its setting, and the number of episodes.
    mean, half
        The mean over the episodes, and half of its interval.
    """

    cell: str
    dataset: str
    method: str
    way: int
    shot: int
    episodes: int
    mean: float
    half: float

    @property
    def source(self) -> str:
        """The source of tasks, or the embedding of a baseline."""
        return self.cell.split("/")[1]

    @property
    def seed(self) -> str:
        """The seed of the trainings."""
        return self.cell.rpartition("/s")[2]

    @property
    def setting(self) -> str:
        """Way and shot, e.g. 5w1s."""
        return f"{self.way}w{self.shot}s"

    @property
    def percent(self) -> str:
        """The mean and half of its interval, in percent."""
        return f"{100 * self.mean:.2f} ± {100 * self.half:.2f}"


def show_results(arguments: argparse.Namespace) -> int:
    """Print the accuracies of the cells that match a pattern."""
    planner = open_run(arguments.run)
    jobs = [job for job in planner.graph.jobs if job.definition.scores]
    every, lost = measured(planner, jobs)
    titles = planner.config.titles()
    printed = {one.cell: titles.row(one.dataset, one.source, one.method) for one in every}
    printed = printed or dict(_expected(planner, jobs))
    chosen = _chosen(printed, arguments.pattern)
    found = [one for one in every if one.cell in chosen]
    if not chosen:
        raise RecordError(
            "No finished cell matches.",
            where=planner.run_folder.name,
            got=arguments.pattern,
            fix=_instead(arguments.pattern, set(printed), jobs),
        )
    if arguments.setting:
        found = _of_setting(found, arguments.setting)
    if arguments.json:
        print_json({"run": planner.run_folder.name, "results": [_facts(one) for one in found]})
        return 0
    for dataset in dict.fromkeys(one.dataset for one in found):
        rows = _table([one for one in found if one.dataset == dataset], titles)
        print(f"{titles.dataset(dataset)}\n{columns(list(rows))}\n")
    for line in _notes(planner, jobs, lost, shown=bool(found)):
        print(line)
    return 0


def _instead(pattern: str, cells: set[str], jobs: list[Job]) -> str:
    if planned_folder(pattern):
        return f"it is a run: `cactus results --run {quote(pattern)}` shows all of its cells"
    if setting := _SETTING.fullmatch(pattern):
        name = "{}w{}s".format(*setting.groups())
        return f"it is a setting: `cactus results --setting {name}` shows its accuracies"
    if waiting := [job.name for job in jobs if _matches(job.cell, pattern)]:
        return f"`cactus why {waiting[0]}` says what it lacks"
    return did_you_mean_or_known(pattern, cells, "leave the pattern out")


def _expected(planner: Planner, jobs: Iterable[Job]) -> Iterator[tuple[str, str]]:
    """Yield the cells that jobs will measure, each with its printed name."""
    titles = planner.config.titles()
    for job in jobs:
        dataset, source = job.cell.split("/")[:2]
        if job.stage == BASELINES.name:
            for method in planner.config.baselines.resolve(dataset).methods:
                yield baseline_cell(job.cell, method), titles.row(dataset, source, method)
        else:
            trained = method_name(source, job.wildcards["learner"])
            yield job.cell, titles.row(dataset, source, trained)


def measured(planner: Planner, jobs: Iterable[Job]) -> tuple[list[Accuracy], list[Job]]:
    """Return what jobs have measured, and the finished ones whose numbers cannot be read."""
    found, lost = list[Accuracy](), list[Job]()
    for job in (one for one in jobs if one.definition.scores):
        try:
            if planner.record(job) is not None:
                found += _accuracies(planner.run_folder, job)
            elif planner.assess(job).state != "missing":
                lost.append(job)  # its record is damaged or closed
        except DataError:
            lost.append(job)
    return found, lost


def _accuracies(run_folder: Path, job: Job) -> Iterator[Accuracy]:
    """Yield what a job has measured.

    Raises
    ------
    DataError
        Its summary is missing or damaged.
    """
    summary = read_json(_summary(run_folder, job))
    for one in summary["settings"]:
        baseline = one.get("method")
        yield Accuracy(
            baseline_cell(job.cell, baseline) if baseline else job.cell,
            summary["dataset"],
            baseline or method_name(job.wildcards["source"], job.wildcards["learner"]),
            *(one["way"], one["shot"], one["tasks"], one["mean"], one["ci95"]),
        )


def _chosen(printed: dict[str, str], pattern: str) -> set[str]:
    """Return the cells whose names fit a pattern; if none do, those whose printed names do."""
    found = {cell for cell in printed if _matches(cell, pattern)}
    return found or {cell for cell, title in printed.items() if _matches(title, pattern)}


def _matches(name: str, pattern: str) -> bool:
    """Return whether a name fits a shell pattern or has it as a part, whatever the case."""
    name, pattern = name.casefold(), pattern.casefold()
    return fnmatchcase(name, pattern) or pattern in name


def _of_setting(found: list[Accuracy], setting: str) -> list[Accuracy]:
    """Return the accuracies of a way and shot.

    Raises
    ------
    ConfigError
        It is no setting, or none of these accuracies has it.
    """
    read = _SETTING.fullmatch(setting.strip())
    chosen = [one for one in found if read and [str(one.way), str(one.shot)] == [*read.groups()]]
    if not read or (found and not chosen):
        raise ConfigError(
            "There are no results of this setting.",
            where="--setting",
            got=setting,
            fix=did_you_mean_or_known(
                setting, {one.setting for one in found}, "write way and shot, e.g. 5w1s"
            ),
        )
    return chosen


def _table(found: list[Accuracy], titles: Titles) -> Iterator[tuple[str, ...]]:
    """Yield a row per cell of a data set, and a column per setting."""
    settings = sorted({(one.way, one.shot, one.setting) for one in found})
    several = len({one.seed for one in found}) > 1
    names = "embedding or source", "method", *(["seed"] if several else [])
    yield *names, *(name for *_, name in settings), "cell"
    cells: dict[str, list[Accuracy]] = {}
    for one in sorted(found, key=_rank):
        cells.setdefault(one.cell, []).append(one)
    for cell, (first, *others) in cells.items():
        numbers = {one.setting: one.percent for one in (first, *others)}
        row = titles.source(first.source), titles.method(first.method)
        seed = [first.seed] if several else []
        yield *row, *seed, *(numbers.get(name, "") for *_, name in settings), cell


def _rank(one: Accuracy) -> tuple[object, ...]:
    """Return the sort key of a row: first what was meta-trained, then what it is compared with."""
    kind = next((at for at, name in enumerate(_FIRST) if one.method.startswith(name)), len(_FIRST))
    return kind, source_rank(one.source), method_rank(one.method), int(one.seed)


def _notes(planner: Planner, jobs: list[Job], lost: list[Job], *, shown: bool) -> Iterable[str]:
    """Yield what one needs to know to read the numbers."""
    if shown:
        yield _NOTE
    if shown and planner.config.synthetic_data:
        yield SYNTHETIC_NOTE
    states = [_state(planner, job) for job in jobs]
    outdated = any(planner.assess(job).state == "stale" for job in jobs)
    planner.project.tree.cache.save()
    number = counted(len(jobs), "job that scores", "jobs that score")
    yield f"{planner.run_folder.name}: {number}: {listed_states(states)}"
    if shown and outdated:
        yield "of jobs that are not fresh, it is what they last found; `cactus status` names them"
    yield from lost_notes(planner, lost)


def lost_notes(planner: Planner, lost: list[Job]) -> Iterator[str]:
    """Yield that the numbers of finished jobs cannot be read, and what to do about it."""
    run = planner.run_folder
    places = (path for job in lost for path in (record_path(run, job), _summary(run, job)))
    closed = dict.fromkeys(one.command for path in places if (one := closed_on_the_way(path)))
    fix = " && ".join(closed) or f"cactus update {run.name}"
    if lost:
        names = few([job.name for job in lost])
        yield f"not shown, as the numbers cannot be read: {names}; run `{fix}`"


def _summary(run_folder: Path, job: Job) -> Path:
    return run_folder / str(job.folder) / _SUMMARY


def _state(planner: Planner, job: Job) -> State:
    """Return a job's state as `cactus status` has it: of a cell, the worst of all its jobs."""
    cells = {cell.name for cell in planner.config.expanded_grid.cells}
    chain = planner.graph.ancestry(job) if job.cell in cells else [job]
    return worst([planner.assess(one).state for one in chain])


def _facts(one: Accuracy) -> dict[str, Any]:
    return {**one._asdict(), "setting": one.setting}
