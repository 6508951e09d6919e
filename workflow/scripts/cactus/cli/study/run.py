"""``cactus run``: Snakemake on Slurm, under supervision."""

import argparse
from pathlib import Path

from cactus.cli.text import json_alone, print_json
from cactus.cluster.clients import run_slurm
from cactus.cluster.profile import PROFILE_LINK, profile_files
from cactus.cluster.supervise import Supervisor


def run_supervised(arguments: argparse.Namespace) -> int:
    """Run the workflow on the cluster; return Snakemake's exit code.

    Raises
    ------
    ClusterError
        Slurm is missing or does not answer: nothing is planned, so that no empty run is left. For
        the others see `cactus.cluster.supervise.Supervisor.run`.
    """
    with json_alone(arguments.json):
        run, code = _supervise(arguments)
    if arguments.json:
        print_json({"run": run.name, "exit_code": code})
    return code


def _supervise(arguments: argparse.Namespace) -> tuple[Path, int]:
    run_slurm("squeue", "--me", "--noheader")
    if arguments.profile == PROFILE_LINK:
        profile_files()  # a lost link is mended
    options = ["--profile", arguments.profile, *arguments.snakemake]
    return Supervisor(
        options, arguments.patience, arguments.poll, cancel_orphans=arguments.cancel_orphans
    ).run()
