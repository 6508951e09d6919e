# What the rules get from their stages, which workflow/scripts/cactus/stages defines.
from snakemake.io import report as in_report  # Snakemake reads `report` as a directive


def results_of(stage):
    """Return the results of a stage's jobs, with the rule's wildcards in braces."""
    definition = stage_named(stage)
    return [f"{RUN}/{name}" for name in definition.files(definition.pattern)]


def record_of(stage):
    """Return the record that each job of a stage writes."""
    return str(record_path(Path(RUN), Job(stage, stage_named(stage).pattern)))


def log_of(stage):
    """Return the log of a stage's jobs."""
    return str(log_path(Path(RUN), Job(stage, stage_named(stage).pattern)))


def gpus_of(stage):
    """Return a function that gives the number of GPUs that a job of a stage requests."""
    definition = stage_named(stage)

    def count(wildcards):
        job = definition.job(**wildcards)
        return GPUS if definition.uses_gpu(definition.parse(job.cell)) else 0

    return count


def memory_of(stage):
    """Return the memory in MB that a job of a stage requests without a profile."""
    return stage_named(stage).memory_mb


def made_by(*stages):
    """Return the sentinels of all jobs of some stages, for the Snakefile's targets."""
    return sentinels(job for stage in stages for job in GRAPH.by_stage[stage])


def sentinels(jobs):
    """Return the files that tell Snakemake that jobs are done."""
    return [f"{RUN}/{job.files[0]}" for job in jobs]


def shown_results_of(stage, caption, suffix):
    """Return the results of a stage's jobs; Snakemake's report shows those of a suffix.

    They are in the category of their data set, with the kind that their name says.
    """

    def category(wildcards):
        cell = "".join(wildcards)
        names = (
            name for name in CONFIG.expanded_grid.datasets if name in cell.split("-")
        )
        name = next(names, None)
        return CONFIG.data.title(name) if name else "Whole run"

    def marked(name):
        labels = {"kind": caption, "name": Path(name).stem}
        path = f"../workflow/report/{caption}.rst"
        return in_report(name, caption=path, category=category, labels=labels)

    return [marked(one) if one.endswith(suffix) else one for one in results_of(stage)]
