# Glue between the configuration and the rules; everything else lives in workflow/scripts/cactus.
import shlex
import sys
from pathlib import Path

ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).resolve().parent
SCRIPTS = ROOT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from cactus.config.grid import Grid
from cactus.config.load import parse_config
from cactus.config.select import raw_access, result_folders, stage_spec
from cactus.config.source import Source

CONFIG = parse_config(config)
GRID = Grid.from_settings(CONFIG.grid)
RUN = f"results/{CONFIG.run}"
THREADS = CONFIG.compute.threads
GPUS = 0 if CONFIG.compute.device == "cpu" else 1

ACCESS = raw_access(CONFIG)

# What cannot change a result stays out of `params`, which Snakemake compares: the place of the
# clone, and where raw data are. Jobs find them in shell variables. Snakemake formats the prefix,
# hence the doubled braces.
PREFIX = (
    f"SCRIPTS={shlex.quote(str(SCRIPTS))}; RAW_DIR={shlex.quote(ACCESS.raw_dir)};"
    f" ACCESS={shlex.quote(ACCESS.text())}; "
)
shell.prefix(PREFIX.replace("{", "{{").replace("}", "}}"))


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
        return stage_spec(CONFIG, stage, **wildcards).text()

    return of_wildcards


def sample_of(wildcards):
    """Return the sample generator's receipt where the run works on sample data."""
    return f"{RUN}/raw/{wildcards.dataset}/sample.json" if CONFIG.sample_data else []


def partitioned_embedding(wildcards):
    """Return the manifest of the embedding that a source partitions, if it does."""
    embedding = Source.parse(wildcards.source).embedding
    return (
        f"{RUN}/embeddings/{wildcards.dataset}/{embedding}/s{wildcards.seed}/manifest.json"
        if embedding
        else []
    )


def trained_model(wildcards):
    """Return the model to evaluate; the from-scratch row has none."""
    if wildcards.source == "scratch":
        return []
    return (
        f"{RUN}/models/{{dataset}}/{{source}}/{{learner}}/s{{seed}}/model.json".format(
            **wildcards
        )
    )


def shown_files(wildcards):
    """Return what a figure of one data set shows besides the results."""
    name, _, dataset = wildcards.figure.partition("-")
    cells = [cell for cell in GRID.trained_cells if cell.dataset == dataset]
    if name == "tasks":
        return [f"{RUN}/partitions/{cell.name}/summary.json" for cell in cells]
    runs = [run for run in GRID.embedding_runs if run[0] == dataset]
    return [
        *(f"{RUN}/models/{cell.name}/metrics.jsonl" for cell in cells),
        *(f"{RUN}/embeddings/{d}/{e}/s{s}/metrics.jsonl" for d, e, s in runs),
    ]
