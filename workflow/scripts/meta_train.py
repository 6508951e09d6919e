"""Meta-train one cell on tasks from its partitions."""

from cactus.command import run_main, training_parser
from cactus.meta.train_cell import train_cell
from cactus.provenance.execution.run_job import running_job
from cactus.stages.meta_train import MetaTrainSpec


def main() -> None:
    """Run the stage."""
    arguments = training_parser(__doc__).parse_args()
    with running_job(arguments.plan) as job:
        train_cell(
            MetaTrainSpec.parse(job.spec),
            job.input_folder("data"),
            job.input_folder("partitions"),
            job.output,
            job.checkpoints(arguments.checkpoints),
        )


if __name__ == "__main__":
    run_main(main)
