"""Collect every number of a run into one tidy table, and test its methods in pairs."""

from cactus.command import run_main, stage_job
from cactus.data.files.registry import CONFIG_FOLDER
from cactus.paper.aggregate import aggregate
from cactus.paper.partition_quality import QUALITY_TABLE, aggregate_quality
from cactus.paper.schema.package import write_package
from cactus.stages.aggregate_results import AggregateResultsSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = AggregateResultsSpec.parse(job.spec)
        published = CONFIG_FOLDER / "paper_results.csv"
        aggregate(job.run_folder, spec.run, spec.cells, spec.splits, published, job.output)
        quality = job.output.with_name(QUALITY_TABLE)
        aggregate_quality(job.run_folder, spec.run, spec.qualities, quality)
        write_package(job.output.parent)


if __name__ == "__main__":
    run_main(main)
