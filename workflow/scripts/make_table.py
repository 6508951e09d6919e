"""Write a LaTeX table, and the map from its numbers to the results."""

from cactus.command import run_main, stage_job
from cactus.paper.quality_table import write_quality_table
from cactus.paper.tables import write_table
from cactus.stages.make_table import QUALITY_TABLE, MakeTableSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = MakeTableSpec.parse(job.spec)
        results = job.run_folder / "tables" / "results.csv"
        if spec.table == QUALITY_TABLE:
            quality = results.with_name("partition_quality.csv")
            write_quality_table(quality, results, job.output, spec.decimals, spec.run)
        else:
            read = [name for name in job.plan.inputs if name.startswith("partitions/")]
            planes = [job.run_folder / name for name in read]
            write_table(results, spec.table, job.output, spec.decimals, spec.run, planes)


if __name__ == "__main__":
    run_main(main)
