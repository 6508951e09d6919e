"""``cactus report``: the page of a run that need not be finished."""

import argparse
import os
from pathlib import Path

from cactus.errors import RecordError
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.status import counted
from cactus.report.page import write_page
from cactus.report.unfinished import unfinished_view
from cactus.stages.whole_run.make_report import REPORT


def show_report(arguments: argparse.Namespace) -> int:
    """Write the page of a run as it is now; return 0 if no cell is missing, else 1."""
    planner = open_run(arguments.run)
    output: Path = arguments.output or Path(f"{planner.run_folder.resolve().name}-now.html")
    if output.resolve() == (planner.run_folder / REPORT.files[0]).resolve():
        raise RecordError(
            "The report of a finished run is made by the workflow, which records it.",
            where=str(output),
            got="the file of that report",
            fix="run `snakemake report`, or name another file",
        )
    folder = os.path.relpath(planner.run_folder.resolve(), output.resolve().parent)
    view = unfinished_view(planner, "" if folder == "." else f"{folder}/")
    planner.project.tree.cache.save()
    write_page(view, planner.project.root, output)
    print(output)
    if view.missing:
        print(
            f"{counted(len(view.missing), 'cell')} of {len(planner.config.expanded_grid.cells)} "
            "missing; the page lists them"
        )
    return 1 if view.missing else 0
