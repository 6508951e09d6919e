"""``cactus trace``: the chain behind a printed number, on one screen."""

import argparse
import os
from pathlib import Path
from shlex import quote
from typing import Any

from cactus.cli.text import columns, print_json
from cactus.config.printed.durations import duration
from cactus.errors import RecordError, counted, printable
from cactus.provenance.audit.reading.confusion import confusion_of
from cactus.provenance.audit.reading.paper_numbers import PAPER_NUMBERS_FILE
from cactus.provenance.audit.trace import Trace, declared_files, raw_files, trace, traceable
from cactus.provenance.records.record import Record
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.run_folders import is_run_folder
from cactus.provenance.staleness.status import local_time
from cactus.stages.base import Job

_SHORT = 12
# What a number is, by the first of its columns, its unit in print, and its interval.
_MEANINGS = {
    "mean": (
        "mean over the episodes of the accuracy averaged over seeds",
        ", in percent",
        ", ± 1.96 standard deviations / sqrt(episodes)",
    ),
    "difference": (
        "our mean minus the paper's",
        ", in percentage points",
        ", ± the root of both squared half intervals",
    ),
    "verdict": ("whether the interval of our mean minus the paper's contains 0", "", ""),
    "seed_std": ("standard deviation of the means of the training seeds", ", in percent", ""),
    "share": (
        "queries of the class that were predicted so, in percent of those in episodes with both",
        "",
        "",
    ),
    "paired_difference": (
        "mean over the episodes of the difference of two methods",
        ", in percentage points",
        ", ± half Student's t interval; * if significant with Holm's correction",
    ),
}


def show_trace(arguments: argparse.Namespace) -> int:
    """Print where a number of a table or figure comes from; without one, which there are."""
    planner = open_run(str(_run_of(arguments.file)))
    if arguments.row is None or arguments.col is None:
        _list_numbers(arguments, traceable(planner, arguments.file, arguments.row))
        return 0
    found = trace(planner, arguments.file, arguments.row, arguments.col)
    planner.project.tree.cache.save()
    if arguments.json:
        print_json(_as_json(planner, found))
    else:
        print(_text(planner, found))
    return 0


def _list_numbers(arguments: argparse.Namespace, found: list[dict[str, Any]]) -> None:
    """Print the rows and columns that lead to the numbers of a file."""
    if arguments.json:
        numbers = [{name: one[name] for name in ("row", "column", "printed")} for one in found]
        print_json({"file": str(arguments.file), "numbers": numbers})
        return
    count, first = counted(len(found), "number"), next(filter(_is_typical, found), found[0])
    options = f"--row {quote(first['row'])} --col {quote(first['column'])}"
    print(
        f"{arguments.file} has {count}{' in these rows' if arguments.row else ''}. Name one, as in"
    )
    print(printable(f"  cactus trace {quote(str(arguments.file))} {options}"))
    for title, name in (("rows", "row"), ("columns", "column")):
        print(f"\n{title} (some of the words are enough):")
        for text in dict.fromkeys(one[name] for one in found):
            print(printable(f"  {text}"))


def _is_typical(entry: dict[str, Any]) -> bool:
    """Return whether a number is an accuracy of a meta-learner, which most ask for."""
    method = str(entry["results_row"].get("method", ""))
    return entry["columns"][0] == "mean" and method.startswith("cactus-")


def _run_of(file: Path) -> Path:
    """Return the folder of the run that a table or figure belongs to."""
    for folder in file.absolute().parents:
        if os.path.lexists(folder / "plans") and is_run_folder(folder):
            return folder
    raise RecordError(
        "The file does not lie in the folder of a run.",
        where=str(file),
        got="no such run above it" if file.exists() else "no such file",
        fix="name a table or figure below results/<run>/",
    )


def _text(planner: Planner, found: Trace) -> str:
    entry = found.entry
    lines = [f"{found.file}: {entry['row']}: {entry['column']}", f"prints {entry['printed']}"]
    lines += _meaning(entry)
    lines += [] if found.published is None else _citation(entry, found.published)
    lines = list(map(printable, lines))
    rows: list[tuple[str, ...]] = [
        ("job", "ended", "took", "seed", "device", "host", "commit", "result sha256")
    ]
    counts = "predicted" in entry["results_row"]
    rows += [_row(job, planner.read(job), counts=counts) for job, _ in found.chain]
    raw = [
        (f"raw {one['dataset']}/{one['file']}", _official(one["official"]), one["sha256"])
        for one in raw_files(planner, found.chain)
    ]
    raw += [(f"file {name}", "declared", one) for name, one in declared_files(found.chain).items()]
    reused = [
        f"{job.name}: {record.origin}, {record.reused[-1].when}"
        for job, record in found.chain
        if record and record.reused
    ]
    end = [*([columns(raw)] if raw else []), *map(printable, reused), _state(found)]
    return "\n".join([*lines, "", columns(rows), "", *end])


def _meaning(entry: dict[str, Any]) -> list[str]:
    """Return what one of our numbers is; nothing if it is the paper's."""
    if "measure" in entry["results_row"]:
        return [_measured(entry)]
    meaning = _MEANINGS.get(entry["columns"][0])
    if meaning is None:
        return []
    what, unit, half = meaning
    unit = unit if entry["scale"] == 100 else ""  # results.csv has fractions
    return [f"= {what}{unit}{half if len(entry['columns']) > 1 else ''}"]


def _measured(entry: dict[str, Any]) -> str:
    """Return what a number of the partitions' quality is."""
    if entry["columns"] == ["partitions"]:
        return "= number of partitions of each seed"
    unit = ", in percent" if entry["scale"] == 100 else ""
    half = ", ± 1.96 standard deviations / sqrt(partitions)" if len(entry["columns"]) > 1 else ""
    measure = entry["results_row"]["measure"]
    return f"= mean over the partitions of {measure} averaged over seeds{unit}{half}"


def _citation(entry: dict[str, Any], row: dict[str, str]) -> list[str]:
    """Return where one of the paper's numbers was published, and where it was read."""
    interval = f", interval {row['ci95_status']}" if len(entry["columns"]) > 1 else ""
    return [
        f"as published: {row['paper']}, {row['table']}",
        f"source: {row['citation']}",
        f"mean {row['accuracy_status']}{interval} ({PAPER_NUMBERS_FILE})",
    ]


def _row(job: Job, record: Record | RecordError | None, *, counts: bool) -> tuple[str, ...]:
    if not isinstance(record, Record):
        return (job.name, "damaged record" if record else "no record", *[""] * 6)
    activity, agent = record.activity, record.agent
    commit = "-" if agent.git is None else str(agent.git["commit"])[:_SHORT]
    dirty = "+" if agent.git and agent.git["dirty"] else ""
    device = (agent.device or {}).get("gpu") or (agent.device or {}).get("device") or "cpu"
    name = _main_result(job, record, counts=counts)
    made = record.entities.get(name)
    digest = f"{made.sha256[:_SHORT] if made else 'unrecorded'} {name.rpartition('/')[2]}"
    seed = "-" if activity.seed is None else str(activity.seed)
    when = local_time(activity.ended), duration(activity.seconds)
    return (job.name, *when, seed, str(device), agent.host, commit + dirty, digest)


def _main_result(job: Job, record: Record, *, counts: bool) -> str:
    """Return the result of a job that matters most; `counts` of confused classes if it has them."""
    main = f"{job.folder}/{job.definition.main_result}"
    names = (confusion_of(job), main) if counts else (main,)
    return next((name for name in names if name in record.entities), job.files[0])


def _official(official: bool | None) -> str:
    return {True: "official", False: "unofficial", None: "no published checksum"}[official]


def _state(found: Trace) -> str:
    stale = [job.name for job in found.stale]
    return f"stale: {', '.join(stale)}" if stale else "every job of the chain is fresh"


def _as_json(planner: Planner, found: Trace) -> dict[str, Any]:
    return {
        "file": str(found.file),
        "number": found.entry,
        "published": found.published,
        "chain": [
            {
                "job": job.name,
                "stale": job in found.stale,
                "record": record.model_dump(mode="json", by_alias=True) if record else None,
            }
            for job, record in found.chain
        ],
        "raw": list(raw_files(planner, found.chain)),
        "declared": declared_files(found.chain),
    }
