"""``cactus update``: run wave by wave, so that identical results stop what would follow."""

import argparse
import subprocess
import sys

from cactus.exits import signals_forwarded
from cactus.provenance.staleness.open_run import find_run_folder, open_run, read_planned_config
from cactus.stages.base import Job


def update(arguments: argparse.Namespace) -> int:
    """Bring a run up to date; return Snakemake's exit code."""
    folder = find_run_folder(arguments.run)
    config = read_planned_config(folder).arguments()
    for wave in open_run(str(folder)).graph.waves:
        planner = open_run(str(folder))
        stale = [one.job for one in planner.assess_all() if one.stale]
        stale = [job for job in stale if job.stage in wave.stages]
        if stale:
            code = _snakemake(config, wave.target, stale, arguments.snakemake)
            if code:
                return code
    print(f"{folder.name} is up to date")
    return 0


def _snakemake(config: list[str], target: str, stale: list[Job], more: list[str]) -> int:
    print(f"{target}: {len(stale)} stale jobs", flush=True)
    command = [sys.executable, "-m", "snakemake", target, *(more or ["--cores", "all"]), *config]
    with subprocess.Popen(command) as process, signals_forwarded(process.send_signal):
        return process.wait()
