"""Write a LaTeX table, and the map from its numbers to the results."""

from cactus.command import run_main, stage_job
from cactus.paper.tables.registry import write_table_of
from cactus.stages.make_table import MakeTableSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = MakeTableSpec.parse(job.spec)
        write_table_of(spec, job.run_folder, job.plan.inputs, job.output)


if __name__ == "__main__":
    run_main(main)
