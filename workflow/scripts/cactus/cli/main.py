"""The command `cactus`."""

import argparse
import math
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cactus.pythons  # noqa: F401  stops under a Python that the next imports do not know
from cactus.command import run_main
from cactus.config.command_line import refuse_repeats
from cactus.cores import usable_cores
from cactus.provenance.execution.process import name_user

# What each command does, and the function that does it. Its module is imported only when the
# command is called, because some of them load libraries that are slow to import.
COMMANDS: Final = {
    "status": ("show the state of every cell", "cactus.cli.status:show_status"),
    "config": ("show where the value of each key comes from", "cactus.cli.config:show_config"),
    "why": ("show what made a cell stale", "cactus.cli.why:show_why"),
    "plan": ("show what the next run would do", "cactus.cli.plan:show_plan"),
    "update": (
        "run stage by stage; skip jobs whose inputs come out unchanged",
        "cactus.cli.update:update",
    ),
    "accept": (
        "declare the changes that made a cell stale harmless",
        "cactus.cli.why:accept_changes",
    ),
    "audit": ("check files, records and printed numbers", "cactus.cli.audit:show_audit"),
    "trace": ("show where a printed number comes from", "cactus.cli.trace:show_trace"),
    "diff": ("show how two runs differ", "cactus.cli.diff:show_diff"),
    "compare": (
        "write numbers of several runs into one table and one figure, and test them in pairs",
        "cactus.cli.diff:show_compare",
    ),
    "export": ("write a run as an RO-Crate", "cactus.cli.export:show_export"),
    "digest": (
        "write what a repository should hold of a run: tables, figures, audit, a row per record",
        "cactus.cli.export:show_digest",
    ),
    "replay": (
        "run jobs of a crate again with its own code, and compare the results bit for bit",
        "cactus.cli.export:show_replay",
    ),
    "run": ("run on a Slurm cluster under supervision", "cactus.cli.run:run_supervised"),
    "profile": ("fit the Slurm profile to the cluster", "cactus.cli.profile:fit_profile"),
}
_RUN = "name or folder of the run; optional if there is only one"
_CELL = "a cell, e.g. omniglot/acai/maml/s0, or a job, <stage>/<cell>"


def main() -> None:
    """Run the command line."""
    name_user()
    run_main(_run)


def _run() -> None:
    given = sys.argv[1:]
    # For other commands, all that follows is one of their own words.
    passes_on = given[:1] in (["update"], ["run"])
    cut = given.index("--") if passes_on and "--" in given else len(given)
    arguments = _parser().parse_args(given[:cut])
    refuse_repeats(given[:cut])
    arguments.snakemake = given[cut + 1 :]
    raise SystemExit(command_function(arguments.command)(arguments))


def command_function(name: str) -> Callable[[argparse.Namespace], int]:
    """Import and return the function that does a command; it returns the exit code."""
    _, function = COMMANDS[name]
    found: Callable[[argparse.Namespace], int] = pkgutil.resolve_name(function)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cactus", description=__doc__)
    commands = parser.add_subparsers(
        title="commands", required=True, dest="command", metavar="COMMAND"
    )
    parsers = {
        name: commands.add_parser(name, help=text, description=text)
        for name, (text, _) in COMMANDS.items()
    }
    for name in ("status", "plan", "update", "audit", "export", "digest"):
        parsers[name].add_argument("run", nargs="?", help=_RUN)
    for name in ("why", "accept"):
        parsers[name].add_argument("cell", help=_CELL)
        parsers[name].add_argument("--run", help=_RUN)
    for name in ("audit", "trace", "diff", "config"):
        parsers[name].add_argument("--json", action="store_true", help="print JSON")
    _add_config_options(parsers["config"])
    _add_staleness_options(parsers)
    _add_audit_options(parsers)
    _add_run_options(parsers["run"])
    _add_profile_options(parsers["profile"])
    return parser


def _add_config_options(config: argparse.ArgumentParser) -> None:
    config.add_argument(
        "words",
        nargs="*",
        metavar="RUN, CELL, KEY",
        help="a run, a cell or a job of it, and a key or a section; all are optional",
    )
    _add_study_options(config)


def _add_study_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--configfile",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="a study that need not have run",
    )
    command.add_argument(
        "--config", nargs="+", default=[], metavar="KEY=VALUE", help="as Snakemake's option"
    )


def _add_staleness_options(parsers: dict[str, argparse.ArgumentParser]) -> None:
    status, plan = parsers["status"], parsers["plan"]
    status.add_argument("--jobs", action="store_true", help="one row per job instead of per cell")
    plan.add_argument("--all", action="store_true", help="also list the jobs that these make stale")
    plan.add_argument(
        "--at-once",
        type=_positive,
        default=usable_cores(),
        metavar="N",
        help="number of jobs that run at once, at least 1; default: one per core that is usable",
    )
    plan.add_argument(
        "--measure",
        action="store_true",
        help="time a few steps of each kind of training first; on a CPU this can take minutes",
    )
    _add_study_options(plan)
    update, accept = parsers["update"], parsers["accept"]
    update.epilog = (
        "Options and targets after -- go to snakemake: `cactus update demo -- --cores 2 tables`."
    )
    accept.add_argument("--reason", required=True, help="why it cannot change the results")


def _positive(text: str) -> int:
    """Return an option's number, which must be a whole one and at least 1."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def _seconds(text: str) -> float:
    """Return an option's time, which must be above 0 and end."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def _add_audit_options(parsers: dict[str, argparse.ArgumentParser]) -> None:
    audit, trace, diff = parsers["audit"], parsers["trace"], parsers["diff"]
    audit.add_argument("--fast", action="store_true", help="trust the hashes that are cached")
    trace.add_argument("file", type=Path, help="a table or figure of a run")
    trace.add_argument("--row", required=True, help='words from its row, e.g. "ACAI CACTUs-MAML"')
    trace.add_argument("--col", required=True, help='its column, e.g. 5w1s or "5w1s paper"')
    diff.add_argument("first", metavar="RUN_A", help="name or folder of a run")
    diff.add_argument("second", metavar="RUN_B", help="name or folder of another run")
    compare = parsers["compare"]
    compare.add_argument("runs", nargs="+", metavar="RUN", help="name or folder of a finished run")
    compare.add_argument(
        "--out", type=Path, required=True, help="a new folder, or one of an earlier comparison"
    )
    export, replay = parsers["export"], parsers["replay"]
    export.add_argument(
        "--output", type=Path, help="a new folder or .zip file; default: <run>.crate.zip"
    )
    parsers["digest"].add_argument(
        "--output",
        type=Path,
        default=Path("docs/results"),
        help="folder of all digests, to which one is added under the run's name; "
        "default: docs/results",
    )
    replay.add_argument("crate", type=Path, help="a folder or .zip file that `export` wrote")
    replay.add_argument("cell", help=_CELL)


def _add_run_options(run: argparse.ArgumentParser) -> None:
    run.add_argument("--profile", default="slurm", help="Snakemake's profile; default: slurm")
    run.add_argument(
        "--cancel-orphans",
        action="store_true",
        help="cancel and resume the jobs of an earlier Snakemake process instead of adopting them",
    )
    run.add_argument(
        "--patience",
        type=_seconds,
        default=420.0,
        metavar="SECONDS",
        help="how long Snakemake may run with no job queued; it checks its jobs every 180 s",
    )
    run.add_argument(
        "--poll",
        type=_seconds,
        default=15.0,
        metavar="SECONDS",
        help="time between checks of the queue",
    )
    run.epilog = "Options after -- go to snakemake: `cactus run -- --configfile config/demo.yaml`."


def _add_profile_options(profile: argparse.ArgumentParser) -> None:
    profile.add_argument(
        "--output", type=Path, help="folder to write to; default: the project's own profile"
    )
    profile.add_argument("--account", help="account to charge jobs to")
    profile.add_argument("--cpu-partition", help="partition for jobs without a GPU")
    profile.add_argument("--gpu-partition", help="partition for jobs with a GPU")
    profile.add_argument(
        "--gpu-request", choices=["gpus", "gres", "none"], help="how jobs request a GPU"
    )
    profile.add_argument("--gpu-model", help="model of the GPU; default: any")
    profile.add_argument("--constraint", help="features that a node must have")
    profile.add_argument("--qos", help="quality of service")
    profile.add_argument("--max-jobs", type=_positive, help="most jobs in the queue at once")


if __name__ == "__main__":
    main()
