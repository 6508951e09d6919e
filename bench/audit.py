"""How long the audit of a finished run takes, and how it grows: ``python -m bench.audit``.

A small run of the real workflow is grown by stand-ins: what its jobs made for one seed, with plans
and records of their own, stands for further seeds. The tables and figures are then really made from
all of them, and the run passes its audit like any other.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from bench.harness import write_result
from cactus.config.load import load_config
from cactus.files import file_hash
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.records.links import linked_jobs, read_links
from cactus.provenance.records.record import FileEntity, Record, write_record
from cactus.provenance.staleness.open_run import open_planner
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job
from tests.workflow.project import CONFIG, RUN, Project

TARGET_SECONDS: Final = 15.0
_STUDY: Final = "config/grown.yaml"
_FILES: Final = (*CONFIG, _STUDY)
# The cells of the small run, with all seeds on each data set.
_KEYS: Final = """
grid:
  seeds: {seeds}
  exclude:
    - {{dataset: mnist, source: bigan}}
    - {{dataset: mnist, source: acai, learner: maml}}
    - {{dataset: mnist, source: scratch}}
    - {{dataset: omniglot, source: bigan, learner: maml}}
    - {{dataset: omniglot, source: labels, learner: maml}}
"""


def grow(project: Project, seeds: int) -> int:
    """Give the run so many seeds, and return its jobs."""
    (project.folder / _STUDY).write_text(_KEYS.format(seeds=list(range(seeds))))
    config = load_config([project.folder / name for name in _FILES[1:]])
    cache = HashCache(None)
    while True:
        planner = open_planner(config, project.run, project.folder, cache)
        jobs = [job for job in planner.graph.jobs if _seed(job)]
        made = [job for job in jobs if planner.assess(job).stale and _can_run(planner, job)]
        if not made:
            break
        for job in made:
            _stand_in(planner, job)
    command(project, "snakemake", "--cores", "2", *_FILES)
    return len(planner.graph.jobs)


def _seed(job: Job) -> int:
    """Return the seed of a job; 0 for those of the first one, which really ran, and of none."""
    last = job.cell.rpartition("/")[2]
    return int(last[1:]) if last[:1] == "s" and last[1:].isdigit() else 0


def _can_run(planner: Planner, job: Job) -> bool:
    return not any(planner.assess(one).stale for one in linked_jobs(planner.graph, job))


def _stand_in(planner: Planner, job: Job) -> None:
    """Copy the results and the record of the first seed."""
    run, seed = planner.run_folder, _seed(job)
    twin = planner.record(Job(job.stage, f"{job.cell.rpartition('/')[0]}/s0"))
    assert twin is not None
    assert twin.job.folder is not None
    assert job.folder is not None
    shutil.copytree(run / twin.job.folder, run / job.folder)
    entities = {}
    for name in twin.entities:
        path = run / job.folder / Path(name).relative_to(twin.job.folder)
        if path.suffix == ".json":
            content = json.loads(path.read_text())
            if "seed" in content:
                path.write_text(json.dumps({**content, "seed": seed}))
        entities[path.relative_to(run).as_posix()] = FileEntity(
            sha256=file_hash(path), bytes=path.stat().st_size
        )
    activity = twin.activity.model_copy(update={"plan": planner.assess(job).plan, "seed": seed})
    links = read_links(run, (one.name for one in linked_jobs(planner.graph, job)))
    write_record(run, Record(entities=entities, activity=activity, agent=twin.agent, links=links))


def audit_seconds(project: Project) -> tuple[float, str]:
    """Return the seconds of an audit, started as a user does, and what it says."""
    start = time.perf_counter()
    output = command(project, "cactus.cli.main", "audit", RUN)
    seconds = time.perf_counter() - start
    return seconds, next(line for line in output.splitlines() if "all agree" in line)


def command(project: Project, module: str, *arguments: str) -> str:
    """Run a module in the project's folder, in a process of its own; return its output."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=project.folder,
        env=project.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def main() -> None:
    """Measure runs of several sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 20, 40, 80])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    cost: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        project = Project.create(Path(folder) / "project")
        for seeds in sorted({1, *arguments.seeds}):
            jobs = grow(project, seeds)
            timed = [audit_seconds(project) for _ in range(arguments.rounds)]
            cost[jobs] = statistics.median(seconds for seconds, _ in timed)
            print(f"{cost[jobs]:.1f} s: {timed[0][1]}", flush=True)
    write_result(
        "audit",
        {
            "what": f"the audit of a finished run of {max(cost)} jobs",
            "target_seconds": TARGET_SECONDS,
            "seconds": cost[max(cost)],
            "jobs": max(cost),
            "cost": {"jobs": cost},
        },
    )


if __name__ == "__main__":
    main()
