"""How Snakemake and Slurm fare with a large grid: ``python -m bench.growth --seeds 10``.

The full grid is sent to a real one-node Slurm (`tests.cluster`), with stand-ins for its jobs: a
wrapper of `sbatch` replaces what a job would do by making its files at once, and asks for one CPU
and 10 MB, so that many run side by side. Snakemake, its graph, its submissions and its questions,
and Slurm's controller are the real ones. The jobs of the synthetic data run beforehand; tables and
figures, which need real numbers, do not run at all.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
import yaml

from cactus.stages.base import Job
from tests.cluster.slurm import SlurmCluster, missing
from tests.workflow.project import Project

_RUN: Final = "growth"
_SNAKEMAKE: Final = ("-m", "snakemake")
_CONFIG: Final = ("--configfile", "config/full.yaml", "config/growth.yaml")
_COUNTED: Final = ("squeue", "scontrol", "sacct", "sinfo", "scancel", "sacctmgr")
_SAMPLE_SECONDS: Final = 0.5
_MIB: Final = 2**20
_CLIENT: Final = """#!/bin/sh
echo "$(date +%s.%N) {name}" >> {calls}
exec {real} "$@"
"""
_SBATCH: Final = """#!/bin/sh
comment= ; before= ; kind=sbatch
for word do
  shift
  [ "$before" = --comment ] && comment=$word
  [ "$word" = --test-only ] && kind=sbatch-test
  before=$word
  case $word in --wrap=*) continue ;; esac
  set -- "$@" "$word"
done
echo "$(date +%s.%N) $kind" >> {calls}
[ "$comment" ] || exec {real} "$@"
exec {real} "$@" --mem=10 --cpus-per-task=1 --wrap="sh {stand_ins}/$comment.sh"
"""


@dataclass
class Timed:
    """A command that was run: its seconds, its processor seconds, and what it printed."""

    seconds: float
    cpu_seconds: float
    text: str


@dataclass
class Samples:
    """What was seen of processes while they ran."""

    peak_rss: int = 0
    cpu_seconds: float = 0.0
    controller_start: float = 0.0
    controller_seconds: float = 0.0
    by_minute: list[int] = field(default_factory=list)


def main() -> int:
    """Measure, print and write what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="training seeds of the grid")
    parser.add_argument("--jobs", type=int, default=100, help="jobs in the queue at once")
    parser.add_argument("--seconds", type=float, default=1.0, help="time that a stand-in takes")
    parser.add_argument("--minutes", type=float, default=60.0, help="interrupt the run after this")
    parser.add_argument("--output", type=Path, default=Path("growth.json"), help="JSON file")
    parser.add_argument("snakemake", nargs="*", help="after --: further options of Snakemake")
    arguments = parser.parse_args()
    # A shell that starts this in the background has it ignored, for Snakemake too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if problem := missing():
        print(problem, file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="cactus-growth-"))
    try:
        with SlurmCluster(cpus=arguments.jobs) as cluster:
            found = measure(arguments, folder, cluster)
    finally:
        shutil.rmtree(folder)
    text = json.dumps(found, indent=1)
    print(text)
    arguments.output.write_text(text + "\n", encoding="utf-8")
    return 0


def measure(arguments: argparse.Namespace, folder: Path, cluster: SlurmCluster) -> dict[str, Any]:
    """Send the grid to the cluster; return what was measured.

    Parameters
    ----------
    arguments
        See `main`.
    folder
        An empty folder.
    cluster
        A cluster that has been started.
    """
    project = prepare(arguments, folder, cluster)
    dry = [timed(project, *_SNAKEMAKE, "--dry-run", *_CONFIG) for _ in range(2)]
    submitted = write_stand_ins(project, folder, arguments.seconds)
    samples, started = Samples(), time.time()
    code = run_driver(arguments, project, cluster, samples, folder / "output")
    ended = time.time()
    return {
        "machine": {"cores": os.cpu_count(), "load": [round(one, 1) for one in os.getloadavg()]},
        "versions": {
            "snakemake": timed(project, *_SNAKEMAKE, "--version").text.strip(),
            "slurm": cluster.run("sbatch", "--version").split()[-1],
        },
        "seeds": arguments.seeds,
        "jobs_of_grid": int(re.findall(r"^(\d+) jobs: ", dry[0].text, re.M)[0]),
        "jobs_for_slurm": submitted,
        "jobs_at_once": arguments.jobs,
        "stand_in_seconds": arguments.seconds,
        "dry_run_seconds": [round(one.seconds, 1) for one in dry],
        "dry_run_cpu_seconds": [round(one.cpu_seconds, 1) for one in dry],
        "exit_code": code,
        "finished": count_records(project),
        "seconds": round(ended - started, 1),
        **rates(folder / "calls", started, ended),
        "driver_peak_rss_mb": round(samples.peak_rss / _MIB),
        "driver_cpu_seconds": round(samples.cpu_seconds, 1),
        "slurmctld_cpu_seconds": round(samples.controller_seconds, 1),
        "finished_by_minute": samples.by_minute,
    }


def prepare(arguments: argparse.Namespace, folder: Path, cluster: SlurmCluster) -> Project:
    """Return a copy of the project, configured, with synthetic data and a fitted profile."""
    project = Project.create(folder / "project")
    config = {
        "run": _RUN,
        "synthetic_data": True,
        # Otherwise the two stand-in GPUs of the cluster would be the limit.
        "compute": {"device": "cpu"},
        "grid": {"seeds": list(range(arguments.seeds))},
    }
    text = yaml.safe_dump(config)
    (project.folder / "config/growth.yaml").write_text(text, encoding="utf-8")
    project.environment = cluster.environment
    timed(project, "-m", "cactus.cli.main", "profile", "--max-jobs", str(arguments.jobs))
    timed(project, *_SNAKEMAKE, "--cores", "2", "--until", "make_synthetic_data", *_CONFIG)
    write_clients(folder, cluster)
    project.environment = {
        **cluster.environment,
        "PATH": f"{folder}/bin{os.pathsep}{cluster.environment['PATH']}",
    }
    return project


def write_clients(folder: Path, cluster: SlurmCluster) -> None:
    """Wrap Slurm's commands, so that each call is counted, and jobs are replaced."""
    (folder / "bin").mkdir()
    words = {"calls": folder / "calls", "stand_ins": folder / "stand-ins"}
    for name in ("sbatch", *_COUNTED):
        real = cluster.folder / "bin" / name
        if real.exists():
            text = _SBATCH if name == "sbatch" else _CLIENT
            client = folder / "bin" / name
            client.write_text(text.format(name=name, real=real, **words), encoding="utf-8")
            client.chmod(0o755)


def write_stand_ins(project: Project, folder: Path, seconds: float) -> int:
    """Write a script for each job, named by its Slurm comment; return how many go to Slurm.

    Snakemake's summary lists the files of each job, its record last.
    """
    (folder / "stand-ins").mkdir()
    text = timed(project, *_SNAKEMAKE, "--summary", "scores", *_CONFIG).text
    files: list[str] = []
    for line in text.splitlines():
        file, _, rest = line.partition("\t")
        if not file.startswith(f"results/{_RUN}/") or "\tmake_synthetic_data\t" in rest:
            continue
        files.append(file)
        if file.startswith(f"results/{_RUN}/records/"):
            stage, _, cell = file.split("/", 3)[3].removesuffix(".json").partition("/")
            words = [f"rule_{stage}_wildcards", *Job(stage, cell).wildcards.values()]
            folders = sorted({str(Path(one).parent) for one in files})
            script = f"mkdir -p {shlex.join(folders)}\nsleep {seconds}\ntouch {shlex.join(files)}\n"
            path = folder / "stand-ins" / f"{'_'.join(words)}.sh"
            path.write_text(script, encoding="utf-8")
            files = []
    return len(list((folder / "stand-ins").iterdir()))


def timed(project: Project, *command: str) -> Timed:
    """Run Python in a project, and time it."""
    before, started = _children_cpu(), time.monotonic()
    done = subprocess.run(
        [sys.executable, *command],
        cwd=project.folder,
        env=project.variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Timed(time.monotonic() - started, _children_cpu() - before, done.stdout)


def _children_cpu() -> float:
    times = os.times()
    return times.children_user + times.children_system


def run_driver(
    arguments: argparse.Namespace,
    project: Project,
    cluster: SlurmCluster,
    samples: Samples,
    output: Path,
) -> int:
    """Run ``snakemake --profile slurm`` and watch it; return its exit code."""
    words = ("--profile", "slurm", "scores", *_CONFIG, *arguments.snakemake)
    command = [sys.executable, "-m", "snakemake", *words]
    with output.open("wb") as file:
        process = psutil.Popen(
            command, cwd=project.folder, env=project.variables(), stdout=file, stderr=file
        )
    assert cluster.controller.process
    controller = psutil.Process(cluster.controller.process.pid)
    samples.controller_start = sum(controller.cpu_times()[:2])
    started, minutes, interrupted = time.monotonic(), 0, False
    while process.poll() is None:
        _look(process, controller, samples)
        passed = (time.monotonic() - started) / 60
        if passed >= minutes + 1:
            minutes += 1
            samples.by_minute.append(count_records(project))
        if passed > arguments.minutes and not interrupted:
            process.send_signal(signal.SIGINT)
            interrupted = True
        time.sleep(_SAMPLE_SECONDS)
    code: int = process.returncode
    if code and not interrupted:
        print(output.read_text(errors="replace")[-4000:], file=sys.stderr)
    return code


def _look(process: psutil.Popen, controller: psutil.Process, samples: Samples) -> None:
    try:
        samples.peak_rss = max(samples.peak_rss, process.memory_info().rss)
        samples.cpu_seconds = sum(process.cpu_times()[:2])
    except psutil.Error:  # it has just ended
        return
    samples.controller_seconds = sum(controller.cpu_times()[:2]) - samples.controller_start


def rates(calls: Path, started: float, ended: float) -> dict[str, Any]:
    """Return how often Slurm's commands were called, and how fast jobs were submitted."""
    rows = [line.split() for line in calls.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if started <= float(row[0]) <= ended]
    submissions = sorted(float(moment) for moment, name in rows if name == "sbatch")
    span = submissions[-1] - submissions[0]
    first = submissions[: min(100, len(submissions))]
    burst = first[-1] - first[0]
    minutes = (ended - submissions[0]) / 60
    counted = Counter(name for _, name in rows)
    return {
        "first_submission_seconds": round(submissions[0] - started, 1),
        "submissions": len(submissions),
        "submissions_per_minute": round(60 * (len(submissions) - 1) / span, 1),
        "submissions_per_minute_of_first_100": round(60 * (len(first) - 1) / burst, 1),
        "calls": dict(counted),
        "calls_per_minute": {name: round(count / minutes, 1) for name, count in counted.items()},
    }


def count_records(project: Project) -> int:
    """Return how many stand-ins have left their record."""
    records = project.folder / "results" / _RUN / "records"
    return sum(1 for path in records.rglob("*.json") if path.parent.name != "make_synthetic_data")


if __name__ == "__main__":
    sys.exit(main())
