# Glue between the configuration and the rules; everything else lives in workflow/scripts/cactus.
import atexit
import os
import shlex
import sys
from pathlib import Path

ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).resolve().parent
SCRIPTS = ROOT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from cactus.cluster.sharing import share_gpus
from cactus.config.load import parse_config
from cactus.files import write_json
from cactus.graph import Graph
from cactus.provenance.execution.backups import drop_backups
from cactus.provenance.execution.logs import log_path
from cactus.provenance.records.plan import plan_path
from cactus.provenance.records.record import record_path
from cactus.provenance.staleness.open_run import RUN_FOLDER_FILE, PlannedConfig
from cactus.provenance.staleness.open_run import open_planner, relative_to_cwd
from cactus.provenance.staleness.status import list_failures
from cactus.stages.base import Job, stage_named, stage_names
from cactus.stages.prepare_data import raw_access

CONFIG = parse_config(config)
RUN = f"results/{CONFIG.run}"
THREADS = CONFIG.compute.threads
# Profiles ask for it, too. Set beforehand, it decides: 1 takes a GPU for a study on CPUs.
GPUS = int(
    os.environ.setdefault("CACTUS_GPUS", "0" if CONFIG.compute.device == "cpu" else "1")
)
share_gpus(workflow, CONFIG.gpus.jobs_per_gpu)

# What cannot change a result stays out of plans: the place of the clone, where raw data are, and
# when checkpoints are saved. Jobs find it in shell variables. Snakemake formats the prefix, hence
# the doubled braces.
VARIABLES = {
    "SCRIPTS": str(SCRIPTS),
    "ACCESS": raw_access(CONFIG).text(),
    "CHECKPOINTS": CONFIG.checkpoints.model_dump_json(),
}
PREFIX = "".join(f"{name}={shlex.quote(text)}; " for name, text in VARIABLES.items())
shell.prefix(PREFIX.replace("{", "{{").replace("}", "}}"))

# Plans are written where a run is started, and nowhere else: a node of the cluster that reads the
# Snakefile again must find the plan that its job was submitted with.
PLANNER = None
if os.environ.setdefault("CACTUS_PLANNED_BY", str(os.getpid())) == str(os.getpid()):
    SOURCE = PlannedConfig(
        configfiles=[
            "config/config.yaml",
            *map(relative_to_cwd, workflow.config_settings.configfiles),
        ],
        overrides=dict(workflow.config_settings.config),
        config=config,
    )
    PLANNER = open_planner(CONFIG, Path(RUN), ROOT)
    SOURCE.write(Path(RUN))
    if RUN_FOLDER_FILE in os.environ:
        write_json(Path(os.environ[RUN_FOLDER_FILE]), RUN)
    atexit.register(PLANNER.project.tree.cache.save)
GRAPH = PLANNER.graph if PLANNER else Graph(CONFIG)


onstart:
    if PLANNER:
        PLANNER.project.tree.cache.save()
        from cactus.cluster.start import before_start

        before_start(workflow, PLANNER)


onsuccess:
    if PLANNER:
        drop_backups(Path(RUN))


onerror:
    if PLANNER:
        drop_backups(Path(RUN))
        print(list_failures(PLANNER.reader), file=sys.stderr)


wildcard_constraints:
    dataset="|".join(CONFIG.expanded_grid.datasets),
    embedding="[a-z][a-z0-9_]*",
    source="[a-z][a-z0-9_-]*",
    learner="maml|protonets",
    figure="[a-z_-]+",
    seed="[0-9]+",


def planned(stage):
    """Return an input function that gives a job its plan, and what it reads of other jobs.

    The plan decides whether the job runs: it is newer than the results if, and only if, the job is
    stale. What the job reads is `ancient`, so that times of files decide nothing; but where another
    stale job makes it, Snakemake has to see that this one follows.
    """

    def inputs(wildcards):
        # Snakemake must not list folders once and for all: plans are added while it looks.
        workflow.iocache.remaining_wait_time = 0
        job = stage_named(stage).job(**wildcards)
        path = PLANNER.write_plan(job) if PLANNER else plan_path(Path(RUN), job)
        return {
            "plan": str(path),
            "reads": [sentinel(upstream.job) for upstream in GRAPH.inputs(job)],
        }

    return inputs


def sentinel(job):
    """Return the file by which Snakemake knows that what another job makes is there."""
    path = f"{RUN}/{job.files[0]}"
    return path if PLANNER and PLANNER.assess(job).stale else ancient(path)
