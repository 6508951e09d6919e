# Connects the configuration to the rules; everything else is in workflow/scripts/cactus.
import atexit
import os
import shlex
import sys
from pathlib import Path

from snakemake.settings.types import RerunTrigger

ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).resolve().parent
SCRIPTS = ROOT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from cactus.cluster.closing import closing_lines, say_last
from cactus.cluster.environment import gpus_of_jobs, read_environment
from cactus.exits import message_alone
from cactus.files import write_json
from cactus.graph import Graph
from cactus.provenance.execution.logs import log_path
from cactus.provenance.chain.relink import accept_results
from cactus.provenance.records.plan import plan_path
from cactus.provenance.records.record import record_path
from cactus.provenance.staleness.open_run import RUN_FOLDER_FILE, open_planner
from cactus.provenance.staleness.planned_config import PlannedConfig
from cactus.provenance.staleness.status import failed_attempts
from cactus.stages.base import Job, stage_named, stage_names
from cactus.stages.prepare_data import raw_access

# Snakemake's own `config` is not used: it no longer tells a study from its defaults.
with message_alone():
    given = workflow.config_settings
    SOURCE = PlannedConfig.read(given.configfiles, given.config_args or (), ROOT)
    CONFIG = SOURCE.load(Path())
    GPUS = gpus_of_jobs(CONFIG.compute.device)
RUN = f"results/{CONFIG.run}"
THREADS = CONFIG.compute.threads
read_environment(workflow, CONFIG.gpus.jobs_per_gpu)

# What cannot change a result stays out of plans: the location of the clone and of the raw data, and
# when checkpoints are saved. Jobs get it from shell variables. Snakemake formats the prefix, hence
# the doubled braces.
VARIABLES = {
    "SCRIPTS": str(SCRIPTS),
    "ACCESS": raw_access(CONFIG).text(),
    "CHECKPOINTS": CONFIG.checkpoints.model_dump_json(),
}
PREFIX = "".join(f"{name}={shlex.quote(text)}; " for name, text in VARIABLES.items())
shell.prefix(PREFIX.replace("{", "{{").replace("}", "}}"))

# Only the process that starts a run writes plans. A cluster node that reads the Snakefile again must
# find the plan that its job was submitted with.
PLANNER = None
FAILED_BEFORE = {}
if os.environ.setdefault("CACTUS_PLANNED_BY", str(os.getpid())) == str(os.getpid()):
    with message_alone():
        PLANNER = open_planner(CONFIG, Path(RUN), ROOT)
        SOURCE.take(Path(RUN), sys.argv)
    if RUN_FOLDER_FILE in os.environ:
        write_json(Path(os.environ[RUN_FOLDER_FILE]), RUN)
    atexit.register(PLANNER.project.tree.cache.save)
    atexit.register(say_last, workflow, PLANNER)
GRAPH = PLANNER.graph if PLANNER else Graph(CONFIG)


onstart:
    if PLANNER:
        PLANNER.project.tree.cache.save()
        from cactus.cluster.start import before_start

        FAILED_BEFORE.update(failed_attempts(PLANNER))
        before_start(workflow, PLANNER)


onsuccess:
    if PLANNER:
        accept_results(Path(RUN), GRAPH)


onerror:
    if PLANNER:
        accept_results(Path(RUN), GRAPH)
        print(closing_lines(workflow, PLANNER, FAILED_BEFORE), file=sys.stderr)


wildcard_constraints:
    dataset="|".join(CONFIG.expanded_grid.datasets),
    embedding="[a-z][a-z0-9_]*",
    source="[a-z][a-z0-9._+-]*",
    learner="|".join(CONFIG.learners.names),
    table="|".join(job.cell for job in GRAPH.by_stage["make_table"]),
    figure="[a-z0-9_-]+",
    seed="[0-9]+",


def planned(stage):
    """Return an input function that gives a job its plan and its inputs from other jobs.

    The plan decides whether the job runs: it is newer than the results if and only if the job is
    stale. Inputs are `ancient`, so that their times do not matter. Only if a stale job makes the
    input does Snakemake need to see that this job follows.
    """

    def inputs(wildcards):
        # Snakemake must not cache its listings of folders: plans are added meanwhile.
        workflow.iocache.remaining_wait_time = 0
        # The time of the plan alone tells whether the job is stale, as `cactus status` says it.
        workflow.dag_settings.rerun_triggers = frozenset([RerunTrigger.MTIME])
        job = stage_named(stage).job(**wildcards)
        with message_alone():
            path = PLANNER.write_plan(job) if PLANNER else plan_path(Path(RUN), job)
            reads = [sentinel(upstream.job) for upstream in GRAPH.inputs(job)]
        return {"plan": str(path), "reads": reads}

    return inputs


def sentinel(job):
    """Return the file that tells Snakemake that another job is done."""
    path = f"{RUN}/{job.files[0]}"
    return path if PLANNER and PLANNER.assess(job).stale else ancient(path)
