"""How long the commands take that one waits for: ``python -m bench.commands``.

With ``--project . --run demo``, of that run; else, of a small run of the real workflow, which is
made first. Each command starts as a user starts it.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.audit import command
from bench.harness import write_result
from tests.workflow.project import CONFIG, RUN, Project

# The most seconds of each.
TARGETS: Final = {("--help",): 0.2, ("status",): 0.8, ("audit",): 2.0}


def seconds(project: Project, arguments: tuple[str, ...], rounds: int) -> float:
    """Return the median wall time of a command."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        command(project, "cactus.cli.main", *arguments)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def measure(project: Project, run: str, rounds: int) -> dict[str, Any]:
    """Time each command, after one of it that is not timed."""
    records = project.folder / "results" / run / "records"
    jobs, times = sum(1 for _ in records.rglob("*.json")), {}
    for arguments, target in TARGETS.items():
        alone = arguments == ("--help",)
        whole = arguments if alone else (*arguments, run)
        seconds(project, whole, 1)
        name = f"`cactus {arguments[0]}`{'' if alone else f', {jobs} jobs'}"
        times[name] = {"seconds": seconds(project, whole, rounds), "target_seconds": target}
    return times


def main() -> None:
    """Measure the run of the command line, or a small one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--project", type=Path, help="folder of a project")
    parser.add_argument("--run", default=RUN, help="a finished run in it")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.project is None:
            project = Project.create(Path(folder) / "project")
            command(project, "snakemake", "--cores", "2", *CONFIG)
        else:
            project = Project(arguments.project.absolute())
        times = measure(project, arguments.run, arguments.rounds)
    write_result("commands", {"what": "commands that one waits for", "times": times})


if __name__ == "__main__":
    main()
