"""The options of each command, and how their values are read."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Final

_RUN: Final = "name or folder of the run; default: the one of this folder, or planned last"
_CELL: Final = "a cell, e.g. omniglot/acai/maml/s0, or a job, <stage>/<cell>"
NO_JSON: Final = ("completion",)
_OF_A_RUN: Final = (
    *("plan", "update", "status", "top", "clean", "report", "paper", "digest", "export", "audit"),
    *("seal", "why", "accept", "show", "logs", "results"),
)
_BY_PLACE: Final = "Runs are named by their places: `cactus {} demo omniglot`."
Parser = argparse.ArgumentParser


def add_options(name: str, parser: Parser) -> None:
    """Add the options of a command to its parser."""
    if name in ("why", "accept", "show", "logs"):
        parser.add_argument("cell", metavar="CELL", help=_CELL)
    if name in ("config", "plan", "doctor", "data"):
        _add_study_options(parser)
    if name in _OWN:
        _OWN[name](parser)
    if name in _OF_A_RUN:
        parser.add_argument("run", nargs="?", metavar="RUN", help=_RUN)
    if name in (*_OF_A_RUN, "config"):
        parser.add_argument(
            "--run", dest="run_option", metavar="RUN", help="the run, in place of RUN"
        )
    if name not in NO_JSON:  # without a default, which would replace what stands before the command
        parser.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print JSON"
        )


def _add_study_options(command: Parser) -> None:
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


def _add_profile(profile: Parser) -> None:
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


def _add_completion(completion: Parser) -> None:
    completion.add_argument("shell", choices=["bash", "zsh", "fish"])
    completion.epilog = 'For bash, put `eval "$(cactus completion bash)"` into ~/.bashrc.'


def _add_init(init: Parser) -> None:
    init.add_argument(
        "name",
        nargs="?",
        default="my-study",
        metavar="NAME",
        help="name of the study and of its run; default: my-study",
    )


def _add_config(config: Parser) -> None:
    config.add_argument(
        "words",
        nargs="*",
        metavar="RUN, CELL, KEY",
        help="a run, a cell or a job of it, and a key or a section; all are optional",
    )


def _add_plan(plan: Parser) -> None:
    plan.add_argument("--all", action="store_true", help="also list the jobs that these make stale")
    plan.add_argument(
        "--at-once",
        type=_positive,
        metavar="N",
        help="number of jobs that run at once, at least 1; default: one per core that is usable",
    )
    plan.add_argument(
        "--measure",
        action="store_true",
        help="time a few steps of each kind of training first; on a CPU this can take minutes",
    )


def _add_run(run: Parser) -> None:
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


def _add_update(update: Parser) -> None:
    update.epilog = (
        "Options and targets after -- go to snakemake: `cactus update demo -- --cores 2 tables`."
    )


def _add_status(status: Parser) -> None:
    status.add_argument("--jobs", action="store_true", help="one row per job instead of per cell")


def _add_logs(logs: Parser) -> None:
    logs.add_argument(
        "--follow", action="store_true", help="print the newest log as it grows, until the job ends"
    )


def _add_clean(clean: Parser) -> None:
    clean.add_argument("--yes", action="store_true", help="delete it; otherwise it is only listed")


def _add_results(results: Parser) -> None:
    results.add_argument(
        "pattern",
        nargs="?",
        default="*",
        metavar="CELL-PATTERN",
        help="a shell pattern such as 'omniglot/*/maml/*', or a part of a name, as in kNN",
    )
    results.add_argument("--setting", help="way and shot, e.g. 5w1s or '5-way 1-shot'")


def _add_diff(diff: Parser) -> None:
    diff.add_argument("first", metavar="RUN_A", help="name or folder of a run")
    diff.add_argument("second", metavar="RUN_B", help="name or folder of another run")
    diff.epilog = _BY_PLACE.format("diff")


def _add_compare(compare: Parser) -> None:
    compare.add_argument("runs", nargs="+", metavar="RUN", help="name or folder of a finished run")
    compare.add_argument(
        "--out", type=Path, required=True, help="a new folder, or one of an earlier comparison"
    )
    compare.epilog = _BY_PLACE.format("compare --out compared")


def _add_report(report: Parser) -> None:
    report.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="the file to write; default: <run>-now.html, or none if the audited report is fresh",
    )


def _add_digest(digest: Parser) -> None:
    digest.add_argument(
        "--output",
        type=Path,
        help="folder of all digests, to which one is added under the run's name; "
        "default: results/digests, which git leaves out",
    )


def _add_export(export: Parser) -> None:
    export.add_argument(
        "--output", type=Path, help="a new folder or .zip file; default: <run>.crate.zip"
    )


def _add_replay(replay: Parser) -> None:
    replay.add_argument(
        "crate", type=Path, metavar="CRATE", help="a folder or .zip file that `export` wrote"
    )
    replay.add_argument("cell", metavar="CELL", help=_CELL)


def _add_accept(accept: Parser) -> None:
    accept.add_argument("--reason", required=True, help="why it cannot change the results")


def _add_trace(trace: Parser) -> None:
    trace.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="a table or results.csv, a figure, the report or the paper of a run",
    )
    trace.add_argument("--row", help='words from the number\'s row, e.g. "ACAI CACTUs-MAML"')
    trace.add_argument("--col", help='words from its column, e.g. 5w1s or "5w1s paper"')
    trace.epilog = (
        "The run is the one in whose folder the file is. Without --row and --col, the rows and "
        "columns of the file are listed."
    )


def _add_audit(audit: Parser) -> None:
    audit.add_argument(
        "--figures",
        action="store_true",
        help="make figures, the report and a paper's PDF again, and compare every byte",
    )
    audit.add_argument("--fast", action="store_true", help="trust the hashes that are cached")
    audit.add_argument(
        "--expect",
        type=_digest,
        metavar="DIGEST",
        help="the digest that was published, or at least 12 digits of it; another is a finding",
    )


def _add_seal(seal: Parser) -> None:
    seal.add_argument(
        "--key",
        type=Path,
        default=Path("~/.ssh/id_ed25519"),
        help="your ssh key, or the public one if your agent has the private; default: %(default)s",
    )


def _positive(text: str) -> int:
    """Return an option's number, which must be a whole one and at least 1."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def _digest(text: str) -> str:
    """Return an option's digest, of which the start is enough."""
    if not 12 <= len(text) <= 64 or {*text.lower()} - {*"0123456789abcdef"}:
        raise argparse.ArgumentTypeError(f"{text!r} is not a sha256, nor its first 12 digits")
    return text.lower()


def _seconds(text: str) -> float:
    """Return an option's time, which must be above 0 and end."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


_OWN: Final[dict[str, Callable[[Parser], None]]] = {
    "profile": _add_profile,
    "completion": _add_completion,
    "init": _add_init,
    "config": _add_config,
    "plan": _add_plan,
    "run": _add_run,
    "update": _add_update,
    "status": _add_status,
    "logs": _add_logs,
    "clean": _add_clean,
    "results": _add_results,
    "diff": _add_diff,
    "compare": _add_compare,
    "report": _add_report,
    "digest": _add_digest,
    "export": _add_export,
    "replay": _add_replay,
    "accept": _add_accept,
    "trace": _add_trace,
    "audit": _add_audit,
    "seal": _add_seal,
}
