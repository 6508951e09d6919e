"""Collect every number of a run into one tidy table, and test its methods in pairs."""

from cactus.command import run_main, stage_job
from cactus.data.files.registry import CONFIG_FOLDER
from cactus.paper.aggregate import write_all_results
from cactus.stages.aggregate_results import AggregateResultsSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        published = CONFIG_FOLDER / "paper_results.csv"
        spec = AggregateResultsSpec.parse(job.spec)
        write_all_results(spec, job.run_folder, published, job.output)


if __name__ == "__main__":
    run_main(main)
