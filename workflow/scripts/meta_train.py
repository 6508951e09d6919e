"""Meta-train one cell on tasks from its partitions."""

from contextlib import nullcontext

from cactus.command import run_main, training_parser
from cactus.config.sections.base import names_a_module
from cactus.provenance.execution.run_job import SCRIPTS, running_job
from cactus.provenance.execution.watch.opened_files import declared_files_only
from cactus.stages.meta_train import MetaTrainSpec


def main() -> None:
    """Run the stage."""
    arguments = training_parser(__doc__).parse_args()
    with running_job(arguments.plan) as job:
        # Not above: a job that takes its results from another run does not wait for PyTorch.
        from cactus.meta.train_cell import train_cell

        spec = MetaTrainSpec.parse(job.spec)
        where = f"learners.custom.{spec.learner}.files"
        custom = names_a_module(spec.settings)
        with declared_files_only(job, where, SCRIPTS) if custom else nullcontext():
            train_cell(
                spec,
                job.input_folder("data"),
                job.input_folder("partitions"),
                job.output,
                job.checkpoints(arguments.checkpoints),
            )


if __name__ == "__main__":
    run_main(main)
