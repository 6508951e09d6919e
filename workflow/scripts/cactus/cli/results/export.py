"""``cactus report``, ``digest``, ``export``, ``replay``: show a run, hand it on, reproduce it."""

import argparse
import os
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cactus.cli.text import columns, print_json, seen, tell
from cactus.errors import RecordError, counted
from cactus.provenance.audit.fixes import run_words
from cactus.provenance.crate.replay import Comparison, replay
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.output_folder import check_output_file
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.status import listed_states
from cactus.stages.whole_run.make_report import REPORT

if TYPE_CHECKING:  # it imports pandas
    from cactus.report.view import MissingCell

_DIGESTS: Final = Path("results/digests")
_PUBLISHED: Final = Path("docs/results")


def show_digest(arguments: argparse.Namespace) -> int:
    """Write a digest of a run that passes its audit."""
    from cactus.provenance.digest.write import write_digest  # it imports pandas

    planner = open_run(arguments.run, cache=HashCache(None))  # what others get is hashed anew
    folder = (arguments.output or _DIGESTS) / planner.run_folder.resolve().name
    written = write_digest(planner, folder)
    shown = seen(written, arguments)
    facts, lines = {"run": planner.run_folder.name, "digest": shown}, [f"wrote {shown}"]
    if arguments.output is None:
        place = shlex.quote(str(seen(_PUBLISHED, arguments)))
        call = f"cactus digest {run_words(planner)} --output {place}"
        lines.append(f"to keep it in git: `{call}`")
    tell(facts, *lines, as_json=arguments.json)
    return 0


def show_export(arguments: argparse.Namespace) -> int:
    """Write a run as an RO-Crate; report jobs that have become stale since they ran."""
    from cactus.provenance.crate.export import export  # its library is slow to import

    planner = open_run(arguments.run, cache=HashCache(None))  # what others get is hashed anew
    output = arguments.output or Path(f"{planner.run_folder.name}.crate.zip")
    export(planner, output)
    stale = [one.job.name for one in planner.assess_all() if one.stale]
    lines = [f"stale, exported as they last ran: {', '.join(stale)}"] if stale else []
    shown = seen(output, arguments)
    facts = {"run": planner.run_folder.name, "crate": shown, "stale": stale}
    tell(facts, *lines, f"wrote {shown}", as_json=arguments.json)
    return 0


def show_replay(arguments: argparse.Namespace) -> int:
    """Run jobs of a crate again; return 0 if every result is the same bit for bit, else 1."""
    with tempfile.TemporaryDirectory(prefix="cactus-replay-") as work:
        compared = replay(arguments.crate, arguments.cell, Path(work))
    different = sum(not one.equal for one in compared)
    if arguments.json:
        print_json([_facts(one) for one in compared])
        return 1 if different else 0
    rows = [("job", "result", "sha256", "")]
    rows += [(one.job.name, one.name, one.recorded[:12], _verdict(one)) for one in compared]
    print(columns(rows))
    print(f"\n{counted(len(compared), 'result')} recomputed, {different} different")
    return 1 if different else 0


def _facts(one: Comparison) -> dict[str, Any]:
    hashes = {"recorded": one.recorded, "recomputed": one.recomputed, "stored": one.stored}
    return {"job": one.job.name, "result": one.name, **hashes, "equal": one.equal}


def _verdict(one: Comparison) -> str:
    if one.equal:
        return "equal"
    notes = [f"recomputed {one.recomputed[:12]}"] if one.recomputed != one.recorded else []
    notes += [f"in the crate {one.stored[:12]}"] if one.stored != one.recorded else []
    why = f", and {one.processor}" if one.processor else ""
    return f"DIFFERENT: {', '.join(notes)}{why}"


def show_report(arguments: argparse.Namespace) -> int:
    """Print where the report of a run is, or write the page of a run as it is now.

    No job runs for it. Returns 0 if every cell is fresh, else 1.
    """
    from cactus.report.page import write_page  # it imports pandas
    from cactus.report.unfinished import unfinished_view

    planner = open_run(arguments.run)
    if arguments.output is None and not planner.assess(REPORT).reasons:
        _tell_report(arguments, planner.run_folder / REPORT.files[0], planner, [])
        return 0
    output: Path = arguments.output or Path(f"{planner.run_folder.resolve().name}-now.html")
    if output.resolve() == (planner.run_folder / REPORT.files[0]).resolve():
        raise RecordError(
            "The report of a finished run is made by the workflow, which records it.",
            where=str(output),
            got="the file of that report",
            fix="run `snakemake report`, or name another file",
        )
    check_output_file("report", output, ".html")
    folder = os.path.relpath(planner.run_folder.resolve(), output.resolve().parent)
    view = unfinished_view(planner, "" if folder == "." else f"{folder}/")
    planner.project.tree.cache.save()
    write_page(view, planner.project.root, output)
    _tell_report(arguments, output, planner, view.missing)
    return 1 if view.missing else 0


def _tell_report(
    arguments: argparse.Namespace, path: Path, planner: Planner, missing: "Sequence[MissingCell]"
) -> None:
    shown = seen(path, arguments)
    lines = [shown]
    if missing:
        lines.append(
            f"{counted(len(missing), 'cell')} of {len(planner.config.expanded_grid.cells)} not "
            f"fresh: {listed_states(one.state for one in missing)}; the page lists them"
        )
    cells = {one.name: one.state for one in missing}
    facts = {"run": planner.run_folder.name, "report": shown, "not_fresh": cells}
    tell(facts, *lines, as_json=arguments.json)
