"""Write the LaTeX table of a data set, and the map from its numbers to the results."""

from cactus.command import run_main, stage_arguments
from cactus.paper.tables import write_table
from cactus.spec.make_table import MakeTableSpec


def main() -> None:
    """Run the stage."""
    arguments = stage_arguments(__doc__, "results", "output")
    spec = MakeTableSpec.parse(arguments.spec)
    write_table(arguments.results, spec.dataset, arguments.output, spec.settings)


if __name__ == "__main__":
    run_main(main)
