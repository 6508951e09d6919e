"""How much processor time the demo's jobs take outside their work: ``python -m bench.start_up``.

The demo runs in a copy of the project. A job's work is the block that its script runs, without the
imports in it. The rest is Python's start, imports, the check of the plan, hashes and the record,
and for jobs that are forks of a process with their libraries, that process and the one that waits.
"""

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Final

from preloaded.protocol import DRIVER
from tests.workflow.project import Project

_ROOT: Final = Path(__file__).resolve().parents[1]
_TIMED: Final = _ROOT / "bench" / "timed_job.py"
_PR_SET_CHILD_SUBREAPER: Final = 36  # in Linux's prctl.h
_PYTHON: Final = f"""#!/bin/sh
case $1 in
*/preloaded) preloaded=$1 libraries=$2; shift 2
    exec {sys.executable} "$preloaded" "$libraries" {_TIMED} preloaded "$@" ;;
*.py) exec {sys.executable} {_TIMED} alone "$@" ;;
*) exec {sys.executable} "$@" ;;
esac
"""
Line = dict[str, str | float]


def run(folder: Path, options: list[str]) -> list[Line]:
    """Run Snakemake in a new copy of the project; return what each job spent."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    project = Project.create(folder / "project")
    times, python = folder / "times.jsonl", folder / "bin/python"
    python.parent.mkdir()
    python.write_text(_PYTHON, encoding="utf-8")
    python.chmod(0o755)
    variables = project.variables() | {"CACTUS_BENCH_TIMES": str(times)}
    variables["PATH"] = os.pathsep.join([str(python.parent), variables["PATH"]])
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *options]
    snakemake = subprocess.Popen(command, cwd=project.folder, env=variables)
    spent = _ended_servers(snakemake)
    jobs = [json.loads(line) for line in times.read_text(encoding="utf-8").splitlines()]
    forks = [one for one in jobs if one["how"] == "preloaded"]
    servers = spent - sum(one["total"] for one in forks)
    waiting = len(forks) * _waiting(project)
    return [*jobs, {"stage": "servers and clients", "total": servers + waiting, "work": 0.0}]


def _ended_servers(snakemake: subprocess.Popen[bytes]) -> float:
    """Wait for Snakemake, and return the processor time of its servers and their jobs."""
    spent = 0.0
    with suppress(ChildProcessError):
        while True:
            process, status, usage = os.wait4(-1, 0)
            if process != snakemake.pid:
                spent += usage.ru_utime + usage.ru_stime
            elif status:
                raise SystemExit("The run failed.")
    return spent


def _waiting(project: Project, jobs: int = 20) -> float:
    """Return the processor time of the process that waits for a job, in seconds."""
    script = project.folder / "nothing.py"
    script.touch()
    command = [sys.executable, str(project.scripts / "preloaded"), "json", str(script)]
    variables = {**os.environ, DRIVER: str(os.getpid())}
    before = os.times()
    for _ in range(jobs):
        subprocess.run(command, env=variables, check=True)
    after = os.times()
    user, system = after[2] - before[2], after[3] - before[3]
    return (user + system) / jobs


def table(jobs: list[Line]) -> list[str]:
    """Return the lines of a table by stage."""
    stages: dict[str, list[Line]] = defaultdict(list)
    for job in jobs:
        stages[str(job["stage"])].append(job)
    lines = [
        "| stage | jobs | CPU seconds | outside of their work | share |",
        "|---|---|---|---|---|",
    ]
    for name, ones in [*sorted(stages.items()), ("all", jobs)]:
        total = sum(float(one["total"]) for one in ones)
        outside = total - sum(float(one["work"]) for one in ones)
        count = sum("how" in one for one in ones)
        cells = f"{count or ''} | {total:.0f} | {outside:.0f} | {outside / total:.0%}"
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
