"""``cactus diff`` and ``compare``: how two runs differ, and the numbers of several in one table."""

import argparse
from collections import Counter

from cactus.cli.text import columns, print_json, seen
from cactus.config.printed.titles import Titles
from cactus.errors import counted, printable
from cactus.paper.vocabulary import setting_title
from cactus.provenance.audit.diff import (
    Difference,
    NumberDifference,
    as_json,
    number_differences,
    run_differences,
    run_in_both,
)
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.records.reasons import ABSENT, unlike
from cactus.provenance.staleness.obstructions import note_obstructions
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.status import listed_states

_LONG = 40
_LEAST_P = 0.0001  # smaller ones would be printed as 0


def show_diff(arguments: argparse.Namespace) -> int:
    """Print how two runs differ; return 0 if they are the same, else 1, also if nothing tells."""
    first, second = open_run(arguments.first), open_run(arguments.second)
    states: dict[str, str] = {}
    for name, planner in ((arguments.first, first), (arguments.second, second)):
        note_obstructions(planner)  # what cannot be read counts as different
        states[name] = listed_states(one.state for one in planner.assess_all() if one.stale)
        planner.project.tree.cache.save()
    if arguments.json:
        content = {**as_json(first, second), "not_fresh": states}
        print_json(content)
        different = any(one["first"] != one["second"] for one in content["numbers"])
        return 1 if content["differences"] or different or not content["jobs_in_both"] else 0
    found, numbers = list(run_differences(first, second)), list(number_differences(first, second))
    moved = [one for one in numbers if one.paired is None or one.first != one.second]
    both = len(run_in_both(first, second))
    _print_changes(arguments, [one for one in found if one.kind != "job"], both)
    titles = Titles.first_of((first.config.titles(), second.config.titles()))
    if both:
        _print_numbers(arguments, len(numbers), moved, titles)
    for name, lacking in ((arguments.first, "second"), (arguments.second, "first")):
        only = [one for one in found if one.kind == "job" and getattr(one, lacking) == ABSENT]
        if only:
            print(f"only in {name}: {_counted_by_stage(only)}")
    for name, listed in states.items():
        if listed:
            print(f"{name} is not up to date: {listed}")
    return 1 if found or moved or not both else 0


def _print_changes(arguments: argparse.Namespace, changes: list[Difference], both: int) -> None:
    """Print in what the jobs that have run in both runs differ, or what else can be compared."""
    if not both:
        differ = (
            counted(len(changes), "key differs", "keys differ") if changes else "no key differs"
        )
        print(f"no job has run in both; of the configurations, {differ}")
    elif not changes:
        jobs = counted(both, "job has", "jobs have")
        print(f"{jobs} run in both, with the same configuration, code, data, libraries and devices")
    if changes:
        rows = [("what", "name", arguments.first, arguments.second, "")]
        print(columns([*rows, *(_row(one) for one in changes)]))


def _print_numbers(
    arguments: argparse.Namespace, every: int, moved: list[NumberDifference], titles: Titles
) -> None:
    """Print the numbers that both runs have and that differ."""
    if not every:
        print("\nno number is in both runs")
        return
    print(f"\n{counted(every, 'number')} in both runs, {every - len(moved)} the same")
    if moved:
        rows = [("number", arguments.first, arguments.second, "difference", "p (paired)")]
        print(columns([*rows, *(_number_row(one, titles) for one in moved)]))


def _counted_by_stage(jobs: list[Difference]) -> str:
    stages = Counter(one.name.partition("/")[0] for one in jobs)
    return ", ".join(f"{number} {stage}" for stage, number in stages.items())


def show_compare(arguments: argparse.Namespace) -> int:
    """Write a table and a figure of several finished runs, and print the table."""
    from cactus.provenance.compare.table import as_text
    from cactus.provenance.compare.write import write_comparison  # it imports Matplotlib

    # What others get is hashed anew.
    planners = [open_run(name, cache=HashCache(None)) for name in arguments.runs]
    table, notes = write_comparison(planners, arguments.out)
    folder = seen(arguments.out, arguments)
    if arguments.json:
        tables = [list(rows) for rows in as_text(table)]
        print_json({"folder": folder, "tables": tables, "notes": list(notes)})
        return 0
    for rows in as_text(table):
        print(f"{columns(rows)}\n")
    for note in notes:
        print(f"note: {printable(note)}")
    print(f"wrote {folder}")
    return 0


def _row(one: Difference) -> tuple[str, str, str, str, str]:
    first, second = map(_cut, unlike(one.first, one.second))
    return one.kind, one.name, first, second, counted(one.jobs, "job") if one.jobs else ""


def _p_value(value: float) -> str:
    return f"{value:.4f}" if value >= _LEAST_P else f"< {_LEAST_P}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _number_row(one: NumberDifference, titles: Titles) -> tuple[str, str, str, str, str]:
    key = one.key
    title = f"{key.dataset}: {titles.pair(key.source, key.method)}, "
    title += f"{setting_title(key.way, key.shot)}, seed {one.seed}"
    means = f"{100 * one.first:.2f}", f"{100 * one.second:.2f}"
    if one.paired is None:
        change = f"{100 * (one.first - one.second):+.2f}"
        return title, means[0], means[1], change, "other episodes"
    low, high = 100 * one.paired.low, 100 * one.paired.high
    change = f"{100 * one.paired.difference:+.2f} [{low:+.2f}, {high:+.2f}]"
    return title, means[0], means[1], change, _p_value(one.paired.p_value)
