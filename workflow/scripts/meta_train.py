"""Meta-train one cell on tasks from its partitions."""

from cactus.command import run_main, stage_arguments
from cactus.meta.run import train_cell
from cactus.spec.meta_train import MetaTrainSpec


def main() -> None:
    """Run the stage."""
    arguments = stage_arguments(__doc__, "data", "partitions", "output")
    spec = MetaTrainSpec.parse(arguments.spec)
    train_cell(spec, arguments.data.parent, arguments.partitions.parent, arguments.output.parent)


if __name__ == "__main__":
    run_main(main)
