"""``cactus why``: what made a cell stale; ``cactus accept``: declare it harmless."""

import argparse
import difflib
import sys
from importlib.util import decode_source

from cactus.cli.text import print_json, tell
from cactus.errors import RecordError, printable
from cactus.files import read_bytes
from cactus.provenance.records.objects import load
from cactus.provenance.records.reasons import Reason
from cactus.provenance.staleness.obstructions import note_closed, note_obstructions
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Assessment, Planner
from cactus.provenance.staleness.waivers import WAIVABLE, accept


def show_why(arguments: argparse.Namespace) -> int:
    """Print what made the jobs of a cell stale, or keeps it unknown; return 0 if fresh, else 1."""
    planner = open_run(arguments.run)
    note_obstructions(planner)  # an update mends none of the reasons that they are
    stale = _stale(planner, arguments.cell)
    note_closed(planner, stale)
    planner.project.tree.cache.save()
    if arguments.json:
        jobs = [
            {
                "job": one.job.name,
                "state": one.state,
                "reasons": [reason._asdict() for reason in one.reasons],
            }
            for one in stale
        ]
        print_json({"cell": arguments.cell, "stale": jobs})
        return 1 if stale else 0
    if not stale:
        print(f"{arguments.cell} is fresh")
        return 0
    for one in stale:
        print(f"{one.job.name} is {one.state}:")
        for reason in one.reasons:
            print(_indented(explain(planner, one, reason)))
    return 1


def _stale(planner: Planner, name: str) -> list[Assessment]:
    jobs = planner.graph.find(name)
    return [one for one in map(planner.assess, jobs) if one.reasons]


def _indented(text: str) -> str:
    return "\n".join(f"  {printable(line.expandtabs())}" for line in text.splitlines())


def explain(planner: Planner, assessment: Assessment, reason: Reason) -> str:
    """Return a reason with its old and new value, or with a diff of the source."""
    match reason.kind:
        case "code":
            return f"{reason}\n{_source_diff(planner, assessment, reason.name)}".rstrip()
        case "library" if planner.config.environment == "site":
            return f"{reason} (in {sys.prefix}, as the study has `environment: site`)"
        case "input" | "raw" | "file" | "output":
            return f"{reason}\n  sha256 {reason.old} -> {reason.new}"
    return str(reason)


def _source_diff(planner: Planner, assessment: Assessment, name: str) -> str:
    """Return the edits of a source file since the record, as a unified diff."""
    sources = assessment.record.activity.sources if assessment.record else {}
    try:
        stored = load(planner.run_folder, sources[name]) if name in sources else b""
        path = planner.project.tree.path(name)
        old, new = map(decode_source, (stored, read_bytes(path) if path.is_file() else b""))
    except (RecordError, OSError, SyntaxError, ValueError) as error:
        return (
            f"the edits cannot be shown: {error.got if isinstance(error, RecordError) else error}"
        )
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), f"recorded/{name}", f"now/{name}", lineterm="", n=2
    )
    return "\n".join(lines)


def accept_changes(arguments: argparse.Namespace) -> int:
    """Declare the changes that made a cell stale harmless."""
    planner = open_run(arguments.run)
    stale, accepted = _stale(planner, arguments.cell), list[tuple[str, str]]()
    for one in stale:
        reasons = [reason for reason in one.reasons if reason.kind != "upstream"]
        refused = [reason for reason in reasons if reason.kind not in WAIVABLE]
        if refused:
            raise RecordError(
                "This change cannot be accepted as harmless: it affects the results themselves.",
                where=one.job.name,
                got="; ".join(map(str, refused)),
                fix="run the workflow again to repeat the job",
            )
        entries = accept(planner.run_folder, one.job, reasons, arguments.reason)
        accepted += [(one.job.name, str(entry.key[1])) for entry in entries]
    lines = [f"accepted for {job}: {what}" for job, what in accepted]
    facts = {
        "run": planner.run_folder.name,
        "cell": arguments.cell,
        "accepted": [{"job": job, "name": what} for job, what in accepted],
    }
    if not stale:
        lines = [f"{arguments.cell} is fresh: nothing to accept"]
    tell(facts, *lines, as_json=arguments.json)
    return 0
