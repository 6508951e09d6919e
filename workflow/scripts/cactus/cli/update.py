"""``cactus update``: run stage by stage, so that identical results stop the wave."""

import argparse
import subprocess
import sys
from typing import Final

from cactus.provenance.jobs import Job
from cactus.provenance.staleness.open_run import find_run, open_run, read_source

# Each target with the stages whose jobs it may have to run.
_TARGETS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("data", ("make_sample", "prepare_data")),
    ("embeddings", ("train_embedding",)),
    ("partitions", ("make_partitions",)),
    ("models", ("meta_train",)),
    ("scores", ("evaluate_model", "run_baselines")),
    ("results", ("aggregate_results",)),
    ("tables", ("make_table", "make_document")),
    ("figures", ("make_figure",)),
)


def update(arguments: argparse.Namespace) -> int:
    """Bring a run up to date; return Snakemake's exit code."""
    folder = find_run(arguments.run)
    config = read_source(folder).arguments()
    for target, stages in _TARGETS:
        planner = open_run(str(folder))
        stale = [one.job for one in planner.assess_all() if one.stale and one.job.stage in stages]
        if stale:
            code = _snakemake(config, target, stale, arguments.snakemake)
            if code:
                return code
    print(f"{folder.name} is up to date")
    return 0


def _snakemake(config: list[str], target: str, stale: list[Job], more: list[str]) -> int:
    print(f"{target}: {len(stale)} stale jobs", flush=True)
    command = [sys.executable, "-m", "snakemake", target, *(more or ["--cores", "all"]), *config]
    return subprocess.run(command, check=False).returncode
