"""Run the real Snakemake on this project's Snakefile in a folder of its own."""

import os
import re
import sys
from pathlib import Path

from tests.workflow.warm.commands import call
from tests.workflow.warm.jobs import warm_python

ROOT = Path(__file__).parents[2]


def snakemake(folder: Path, *arguments: str, check: bool = True) -> str:
    """Run Snakemake in `folder`, which gets a link to the configuration; return its output."""
    if not (folder / "config").exists():
        (folder / "config").symlink_to(ROOT / "config")
    path = [warm_python(), str(Path(sys.executable).parent), os.environ["PATH"]]
    scripts = str(ROOT / "workflow/scripts")
    variables = {**os.environ, "PATH": os.pathsep.join(path), "PYTHONPATH": scripts}
    snakefile = ("--snakefile", str(ROOT / "Snakefile"))
    run = call("snakemake.cli", [*snakefile, *arguments], folder, variables)
    output = run.stdout + run.stderr
    if check:
        # What fails as Python exits does not change the exit code.
        assert run.returncode == 0, output
        assert "Traceback" not in output, output
    else:
        assert run.returncode != 0, output
    return output


def job_counts(folder: Path, *arguments: str) -> dict[str, int]:
    """Return the number of jobs of each rule in a dry run."""
    output = snakemake(
        folder, "--workflow-profile", "none", "--dry-run", "--quiet", "rules", *arguments
    )
    table = output.split("Job stats:")[1].split("\n\n")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}
