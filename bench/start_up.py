"""How much processor time the demo's jobs take outside their work: ``python -m bench.start_up``.

The demo runs in a copy of the project. A job's work is the block that its script runs, without the
imports in it. The rest is Python's start, imports, the check of the plan, hashes and the record.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Final

from tests.workflow.project import Project

_ROOT: Final = Path(__file__).resolve().parents[1]
_PYTHON: Final = """#!/bin/sh
case $1 in
*.py) PYTHONPATH="$PYTHONPATH:{root}" exec {python} -m bench.timed_job "$@" ;;
*) exec {python} "$@" ;;
esac
"""


def run(folder: Path, options: list[str]) -> list[dict[str, float]]:
    """Run Snakemake in a new copy of the project; return what each job spent."""
    project = Project.create(folder / "project")
    times, python = folder / "times.jsonl", folder / "bin/python"
    python.parent.mkdir()
    python.write_text(_PYTHON.format(root=_ROOT, python=sys.executable), encoding="utf-8")
    python.chmod(0o755)
    variables = project.variables() | {"CACTUS_BENCH_TIMES": str(times)}
    variables["PATH"] = os.pathsep.join([str(python.parent), variables["PATH"]])
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *options]
    subprocess.run(command, cwd=project.folder, env=variables, check=True)
    return [json.loads(line) for line in times.read_text(encoding="utf-8").splitlines()]


def table(jobs: list[dict[str, float]]) -> list[str]:
    """Return the lines of a table by stage."""
    stages: dict[str, list[dict[str, float]]] = defaultdict(list)
    for job in jobs:
        stages[str(job["stage"])].append(job)
    lines = [
        "| stage | jobs | CPU seconds | outside of their work | share |",
        "|---|---|---|---|---|",
    ]
    for name, ones in [*sorted(stages.items()), ("all", jobs)]:
        total = sum(one["total"] for one in ones)
        outside = total - sum(one["work"] for one in ones)
        cells = f"{len(ones)} | {total:.0f} | {outside:.0f} | {outside / total:.0%}"
        lines.append(f"| {name} | {cells.replace('%', ' %')} |")
    return lines


def main() -> None:
    """Run the demo, or what the command line asks for, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("options", nargs="*", help="after --: options of Snakemake")
    options = parser.parse_args().options or ["--configfile", "config/demo.yaml"]
    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(table(run(Path(folder), options))))


if __name__ == "__main__":
    main()
