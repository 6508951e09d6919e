# Connects the configuration to the rules; everything else is in workflow/scripts/cactus.
import atexit
import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).resolve().parent
SCRIPTS = ROOT / "workflow" / "scripts"
if not SCRIPTS.is_dir() or workflow.modifier.path_modifier.prefix:
    raise WorkflowError(
        "A module of this workflow needs a clone on the disk and has no prefix: name the path of the "
        "clone's Snakefile (docs/how-to/module.md)."
    )
sys.path.insert(0, str(SCRIPTS))

import cactus.pythons  # stops under one that is not supported

from cactus.cluster.closing import say_last
from cactus.cluster.driver import let_plans_decide, spare_scheduler
from cactus.cluster.environment import check_place, gpus_of_jobs, read_environment
from cactus.exits import message_alone
from cactus.files import write_json
from cactus.graph import Graph
from cactus.provenance.execution.logs import log_path
from cactus.provenance.execution.process import is_driver
from cactus.provenance.records.plan import plan_path
from cactus.provenance.records.record import record_path
from cactus.provenance.records.run_reader import asked_for
from cactus.provenance.staleness.custom_code import check_custom_code
from cactus.provenance.staleness.module_study import study_of_module
from cactus.provenance.staleness.obstructions import refuse_obstructions
from cactus.provenance.staleness.open_run import RUN_FOLDER_FILE, open_planner
from cactus.provenance.staleness.planned_config import PlannedConfig
from cactus.stages.base import Job, stage_named, stage_names
from cactus.stages.prepare_data import raw_access

# Whether another workflow imports this one; it may give a study as the module's `config`. Otherwise
# Snakemake's own `config` is not used: it no longer tells a study from its defaults.
MODULE = not workflow.modifier.is_main_snakefile()
with message_alone():
    check_place(ROOT)
    given = workflow.config_settings
    if MODULE and config:
        study = study_of_module(config, workflow.modifier.namespace)
        SOURCE = PlannedConfig.read([study], (), ROOT)
    else:
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
if is_driver():
    with message_alone():
        PLANNER = open_planner(CONFIG, Path(RUN), ROOT)
        check_custom_code(CONFIG, PLANNER.project.tree)
        refuse_obstructions(PLANNER)
        SOURCE.check_call(sys.argv)
    if RUN_FOLDER_FILE in os.environ:
        write_json(Path(os.environ[RUN_FOLDER_FILE]), RUN)
    atexit.register(PLANNER.project.tree.cache.save)
    if not MODULE:
        atexit.register(say_last, workflow, PLANNER)
GRAPH = PLANNER.graph if PLANNER else Graph(CONFIG)


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
        if PLANNER:
            let_plans_decide(workflow, Path(RUN), SOURCE)
            spare_scheduler(workflow)
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
