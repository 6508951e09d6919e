"""The command `cactus`.

Only what every command needs is imported here: the rest, above all libraries that are slow to
import, comes with the command that is called.
"""

import argparse
import atexit
import gc
import os
import pkgutil
import sys
from collections.abc import Callable

import cactus.pythons  # noqa: F401  stops under a Python that the next imports do not know
from cactus.exits import run_main
from cactus.provenance.execution.process import name_user

# What does each command; without one, `cactus` says what can be done next.
FUNCTIONS = {
    "": "cactus.cli.state.overview:show_overview",
    "init": "cactus.cli.study.init:init_study",
    "config": "cactus.cli.study.config:show_config",
    "plan": "cactus.cli.study.plan:show_plan",
    "run": "cactus.cli.study.run:run_supervised",
    "update": "cactus.cli.study.update:update",
    "status": "cactus.cli.state.status:show_status",
    "top": "cactus.cli.state.top:show_top",
    "logs": "cactus.cli.state.logs:show_logs",
    "clean": "cactus.cli.state.clean:clean_run",
    "results": "cactus.cli.results.accuracies:show_results",
    "show": "cactus.cli.results.cell:show_cell",
    "diff": "cactus.cli.results.diff:show_diff",
    "compare": "cactus.cli.results.diff:show_compare",
    "report": "cactus.cli.results.export:show_report",
    "paper": "cactus.cli.results.paper:show_paper",
    "digest": "cactus.cli.results.export:show_digest",
    "export": "cactus.cli.results.export:show_export",
    "replay": "cactus.cli.results.export:show_replay",
    "why": "cactus.cli.provenance.why:show_why",
    "accept": "cactus.cli.provenance.why:accept_changes",
    "trace": "cactus.cli.provenance.trace:show_trace",
    "audit": "cactus.cli.provenance.audit:show_audit",
    "seal": "cactus.cli.provenance.audit:write_signature",
    "doctor": "cactus.cli.machine.doctor:show_doctor",
    "data": "cactus.cli.machine.data:show_data",
    "profile": "cactus.cli.machine.profile:fit_profile",
    "completion": "cactus.cli.completion:show_completion",
}
# What follows -- goes to Snakemake; for other commands, it is one of their own words.
_PASS_ON = ("update", "run")


def main() -> None:
    """Run the command line."""
    # Matplotlib reads this when it is imported. A notebook's value names a backend that is missing.
    os.environ["MPLBACKEND"] = "Agg"
    name_user()
    # What a command makes lives as long as it does: graphs of jobs, records, syntax trees. Python's
    # default garbage collection in them takes a tenth of an audit.
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)  # or Python looks through all of it again as it exits
    run_main(_run)


def _run() -> None:
    from cactus.cli.parser import read_arguments

    given = sys.argv[1:]
    command = next((one for one in given if not one.startswith("-")), "")
    cut = given.index("--") if command in _PASS_ON and "--" in given else len(given)
    arguments = read_arguments(given[:cut])
    if any(one.startswith(("--config", "-C")) for one in given[:cut]):
        from cactus.config.command_line import refuse_repeats

        refuse_repeats(given[:cut])
    arguments.snakemake = given[cut + 1 :]
    if arguments.command not in ("completion", "profile"):
        from cactus.cli.place import go_to_project

        go_to_project(arguments)
    raise SystemExit(command_function(arguments.command)(arguments))


def command_function(name: str) -> Callable[[argparse.Namespace], int]:
    """Import and return the function that does a command; it returns the exit code."""
    found: Callable[[argparse.Namespace], int] = pkgutil.resolve_name(FUNCTIONS[name])
    return found


if __name__ == "__main__":
    main()
