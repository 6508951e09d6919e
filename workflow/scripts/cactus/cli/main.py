"""The command `cactus`."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from cactus.cli.audit import show_audit
from cactus.cli.diff import show_diff
from cactus.cli.export import show_export, show_replay
from cactus.cli.profile import fit_profile
from cactus.cli.run import run_supervised
from cactus.cli.status import default_at_once, show_plan, show_status
from cactus.cli.trace import show_trace
from cactus.cli.update import update
from cactus.cli.why import accept_changes, show_why
from cactus.command import run_main

_RUN = "name or folder of the run; optional if there is only one"


def main() -> None:
    """Run the command line."""
    try:
        run_main(_run)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, e.g. `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _run() -> None:
    given = sys.argv[1:]
    cut = given.index("--") if "--" in given else len(given)
    arguments = _parser().parse_args(given[:cut])
    arguments.snakemake = given[cut + 1 :]
    raise SystemExit(arguments.action(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cactus", description=__doc__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_staleness(commands)
    _add_audit(commands)
    _add_export(commands)
    _add_cluster(commands)
    _add_profile(commands)
    return parser


def _add_staleness(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    status = _command(commands, "status", show_status, "show the state of every cell")
    status.add_argument("run", nargs="?", help=_RUN)
    status.add_argument("--jobs", action="store_true", help="one row per job instead of per cell")
    why = _command(commands, "why", show_why, "show what made a cell stale")
    _add_cell(why)
    plan = _command(commands, "plan", show_plan, "show what the next run would do")
    plan.add_argument("run", nargs="?", help=_RUN)
    plan.add_argument("--all", action="store_true", help="also list the jobs that these make stale")
    plan.add_argument(
        "--at-once",
        type=int,
        default=default_at_once(),
        metavar="N",
        help="number of jobs that run at once",
    )
    updating = _command(
        commands,
        "update",
        update,
        "run stage by stage; skip jobs whose inputs come out unchanged",
    )
    updating.add_argument("run", nargs="?", help=_RUN)
    updating.epilog = "Options after -- go to snakemake: `cactus update demo -- --cores 2`."
    harmless = _command(
        commands, "accept", accept_changes, "declare the changes that made a cell stale harmless"
    )
    _add_cell(harmless)
    harmless.add_argument("--reason", required=True, help="why it cannot change the results")


def _add_audit(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    audit = _command(commands, "audit", show_audit, "check files, records and printed numbers")
    audit.add_argument("run", nargs="?", help=_RUN)
    audit.add_argument("--deep", action="store_true", help="hash every file, without cached hashes")
    audit.add_argument("--json", action="store_true", help="print JSON")
    trace = _command(commands, "trace", show_trace, "show where a printed number comes from")
    trace.add_argument("file", type=Path, help="a table or figure of a run")
    trace.add_argument("--row", required=True, help='words from its row, e.g. "ACAI CACTUs-MAML"')
    trace.add_argument("--col", required=True, help='its column, e.g. 5w1s or "5w1s paper"')
    trace.add_argument("--json", action="store_true", help="print JSON, with complete records")
    diff = _command(commands, "diff", show_diff, "show how two runs differ")
    diff.add_argument("first", metavar="RUN_A", help="name or folder of a run")
    diff.add_argument("second", metavar="RUN_B", help="name or folder of another run")
    diff.add_argument("--json", action="store_true", help="print JSON")


def _add_export(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    export = _command(commands, "export", show_export, "write a run as an RO-Crate")
    export.add_argument("run", nargs="?", help=_RUN)
    export.add_argument(
        "--output", type=Path, help="a new folder or .zip file; default: <run>.crate.zip"
    )
    replay = _command(
        commands,
        "replay",
        show_replay,
        "run jobs of a crate again with its own code, and compare the results bit for bit",
    )
    replay.add_argument("crate", type=Path, help="a folder or .zip file that `export` wrote")
    replay.add_argument("cell", help="a cell, e.g. omniglot/acai/maml/s0, or a job, <stage>/<cell>")


def _add_cluster(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = _command(commands, "run", run_supervised, "run on a Slurm cluster under supervision")
    run.add_argument("--profile", default="slurm", help="Snakemake's profile; default: slurm")
    run.add_argument(
        "--cancel-orphans",
        action="store_true",
        help="cancel and resume the jobs of an earlier Snakemake process instead of adopting them",
    )
    run.add_argument(
        "--patience",
        type=float,
        default=420.0,
        metavar="SECONDS",
        help="how long Snakemake may run with no job queued; it checks its jobs every 180 s",
    )
    run.add_argument(
        "--poll",
        type=float,
        default=15.0,
        metavar="SECONDS",
        help="time between checks of the queue",
    )
    run.epilog = "Options after -- go to snakemake: `cactus run -- --configfile config/demo.yaml`."


def _add_profile(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    profile = _command(commands, "profile", fit_profile, "fit the Slurm profile to the cluster")
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
    profile.add_argument("--max-jobs", type=int, help="most jobs in the queue at once")


def _add_cell(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cell", help="a cell, e.g. omniglot/acai/maml/s0, or a job, <stage>/<cell>")
    parser.add_argument("--run", help=_RUN)


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    action: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(action=action)
    return parser


if __name__ == "__main__":
    main()
