"""``cactus paper``: a document that Snakemake makes of a run."""

import argparse
import subprocess

from cactus.cli.snakemake_call import snakemake_call
from cactus.errors import CodeError, RecordError
from cactus.provenance.staleness.run_folders import find_run_folder


def make_paper(arguments: argparse.Namespace) -> int:
    """Make the paper of a run; print its path."""
    return _make(arguments, "paper", "paper.pdf")


def _make(arguments: argparse.Namespace, target: str, name: str) -> int:
    """Call Snakemake with a target; return its exit code.

    Raises
    ------
    CodeError
        The Snakefile has no such target.
    RecordError
        Snakemake has succeeded, but the file is not there.
    """
    folder = find_run_folder(arguments.run)
    call = snakemake_call(folder)
    listing = [*call.program, "--list-target-rules", *call.study]
    known = subprocess.run(
        listing, cwd=call.base, capture_output=True, text=True, errors="replace", check=False
    )
    if known.returncode:
        raise CodeError(
            "Snakemake cannot list its targets.",
            where=str(call.base),
            got=known.stderr,
            fix="mend what it says, then try again",
        )
    if target not in known.stdout.split():
        raise CodeError(
            f"This project cannot make {name} yet.",
            where="the Snakefile",
            got=f"no target {target}",
            fix="update the project; `snakemake --list-target-rules` lists what there is",
        )
    code = call.run(target, *(arguments.snakemake or ["--cores", "all"]))
    if code:
        return code
    if not (folder / name).is_file():
        if {"-n", "--dry-run", "--dryrun"} & {*arguments.snakemake}:
            return 0
        raise RecordError(
            "Snakemake has succeeded, but the file is not there.",
            where=str(folder / name),
            got="no such file",
            fix=f"see what the rule {target} makes",
        )
    print(folder / name)
    return 0
