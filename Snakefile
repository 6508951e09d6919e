# CACTUs: embed unlabeled images, cluster them, make tasks from the clusters, meta-learn on them.
# Run `snakemake --cores 2 --configfile config/demo.yaml`, or see README.md.
import gc

from snakemake.utils import min_version

min_version("9.18")
# The graph of jobs lives as long as Snakemake does. Python's default garbage collection in it takes
# a fifth of a dry run.
gc.freeze()
gc.set_threshold(50_000)


include: "rules/common.smk"
include: "rules/handlers.smk"
include: "rules/stages.smk"
include: "rules/data.smk"
include: "rules/embed.smk"
include: "rules/partition.smk"
include: "rules/metatrain.smk"
include: "rules/evaluate.smk"
include: "rules/baselines.smk"
include: "rules/aggregate.smk"
include: "rules/paper.smk"
include: "rules/audit.smk"
include: "rules/report.smk"
include: "rules/manuscript.smk"


from cactus.cluster.closing import stage_of
from cactus.graph import check_rules

check_rules(stage_of(rule) or "" for rule in workflow.rules)


localrules:
    all,
    data,
    embeddings,
    partitions,
    quality,
    models,
    evaluations,
    scores,
    results,
    tables,
    figures,
    audit,
    report,
    paper,


rule all:
    default_target: True
    input:
        made_by(*(name for name in stage_names() if stage_named(name).final)),
        rules.audit.input,
        rules.report.input,
        sentinels(asked_for(GRAPH, Path(RUN))),
