"""How Snakemake is called for a run that exists, with the configuration of that run."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from cactus.cluster.driver import is_of_terminal
from cactus.errors import RecordError
from cactus.exits import signals_forwarded
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planned_config import read_planned_config


class SnakemakeCall(NamedTuple):
    """How Snakemake is called for a run: where, the program, and the options of the study.

    `results` is the run's folder as targets name it.
    """

    base: Path
    results: str
    program: list[str]
    study: list[str]

    def run(self, *words: str) -> int:
        """Call Snakemake with targets and options; return its exit code.

        Jobs run the `python` that is found first, which has to be that of this process.
        """
        command = [*self.program, *words, *self.study]
        own = str(Path(sys.executable).parent)
        path = os.pathsep.join(filter(None, [own, os.environ.get("PATH")]))
        seen: list[int] = []

        def send(number: int) -> None:
            seen.append(number)
            if len(seen) > 1 or not is_of_terminal(number):
                process.send_signal(number)

        with (
            subprocess.Popen(command, cwd=self.base, env={**os.environ, "PATH": path}) as process,
            signals_forwarded(send),
        ):
            return process.wait()


def snakemake_call(folder: Path) -> SnakemakeCall:
    """Return how to call Snakemake for a run.

    Raises
    ------
    RecordError
        Snakemake would work on another folder: this one is a copy, or has another name.
    """
    planner = open_run(str(folder))
    base, root = planner.project.tree.base, planner.project.root
    if planner.is_copy:
        raise RecordError(
            "This folder cannot be updated: it is not where its configuration puts results.",
            where=str(folder),
            got=f"results go to {planner.place}",
            fix="move it there, or run Snakemake in the folder that holds its `results`",
        )
    snakefile = [] if root.samefile(base) else ["--snakefile", str(root / "Snakefile")]
    program = [sys.executable, "-m", "snakemake", *snakefile]
    results = f"results/{planner.config.run}"
    return SnakemakeCall(base, results, program, read_planned_config(folder).arguments())
