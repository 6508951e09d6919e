# Glue between the configuration and the rules; everything else lives in workflow/scripts/cactus.
import sys
from pathlib import Path

ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).resolve().parent
SCRIPTS = ROOT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from cactus.config.grid import Grid, Source
from cactus.config.load import parse_config
from cactus.config.spec import AggregateResultsSpec, RawAccess, stage_spec

CONFIG = parse_config(config)
GRID = Grid.from_settings(CONFIG.grid)
RUN = f"results/{CONFIG.run}"
ACCESS = RawAccess.of(CONFIG)
THREADS = CONFIG.compute.threads
GPUS = 0 if CONFIG.compute.device == "cpu" else 1


wildcard_constraints:
    dataset="[a-z]+",
    embedding="[a-z][a-z0-9_]*",
    source="[a-z][a-z0-9_-]*",
    learner="[a-z]+",
    figure="[a-z_-]+",
    seed="[0-9]+",


def spec(stage):
    """Return a params function that gives a job just the config keys that its stage reads."""

    def of_wildcards(wildcards):
        return stage_spec(CONFIG, stage, **wildcards)

    return of_wildcards
