"""Write a LaTeX table, and the map from its numbers to the results."""

from cactus.command import run_main, stage_job
from cactus.paper.tables.registry import write_table
from cactus.stages.make_table import MakeTableSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = MakeTableSpec.parse(job.spec)
        results = job.run_folder / "tables" / "results.csv"
        read = [name for name in job.plan.inputs if name.startswith("partitions/")]
        planes = [job.run_folder / name for name in read]
        keys = spec.decimals, spec.run, spec.schedule, planes, spec.custom, spec.titles
        write_table(spec.kind, results, spec.dataset, job.output, *keys)


if __name__ == "__main__":
    run_main(main)
