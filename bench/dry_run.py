"""The dry run of the full grid (``config/full.yaml``) with five seeds, in wall time."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.harness import write_result

ROOT = Path(__file__).resolve().parents[1]
SEEDS = (1, 2, 5)
TARGET_SECONDS = 5.0


def dry_run(seeds: int) -> tuple[float, int]:
    """Return the seconds of a dry run, and the jobs that it lists."""
    names = ", ".join(map(str, range(seeds)))
    command = [
        sys.executable, "-m", "snakemake", "--dry-run", "--logger", "cactus", "--cores", "1",
        "--snakefile", str(ROOT / "Snakefile"), "--configfile", "config/full.yaml",
        "--config", f"grid={{seeds: [{names}]}}",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config").symlink_to(ROOT / "config")
        (Path(folder) / "envs").symlink_to(ROOT / "envs")
        start = time.perf_counter()
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - start
    return seconds, int((run.stdout + run.stderr).partition(" jobs")[0].split()[-1])


def main(rounds: int = 3) -> None:
    """Time dry runs of grids with one, two and five seeds."""
    cost, jobs = {}, {}
    for seeds in SEEDS:
        runs = [dry_run(seeds) for _ in range(rounds)]
        cost[seeds], jobs[seeds] = sorted(runs)[len(runs) // 2]
    write_result(
        "dry_run",
        {
            "what": "dry run of the full grid with five seeds",
            "target_seconds": TARGET_SECONDS,
            "seconds": cost[SEEDS[-1]],
            "jobs": jobs,
            "cost": {"seeds": cost},
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
