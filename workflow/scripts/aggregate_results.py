"""Collect every number of a run into one tidy table."""

from cactus.command import run_main, stage_arguments
from cactus.paper.aggregate import aggregate
from cactus.spec.aggregate_results import AggregateResultsSpec


def main() -> None:
    """Run the stage."""
    arguments = stage_arguments(__doc__, "published", "output")
    spec = AggregateResultsSpec.parse(arguments.spec)
    run_folder = arguments.output.parents[1]
    aggregate(run_folder, spec.cells, arguments.published, arguments.output)


if __name__ == "__main__":
    run_main(main)
