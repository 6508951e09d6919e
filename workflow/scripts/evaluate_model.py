"""Score a meta-trained model, or an untrained one, on the evaluation episodes."""

from contextlib import nullcontext

from cactus.command import report, run_main, stage_job
from cactus.config.sections.base import names_a_module
from cactus.provenance.execution.run_job import SCRIPTS
from cactus.provenance.execution.watch.opened_files import declared_files_only
from cactus.stages.evaluate_model import EvaluateModelSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        # Not above: a job that takes its results from another run does not wait for PyTorch.
        from cactus.evaluate.run_model import evaluate_cell

        spec = EvaluateModelSpec.parse(job.spec)
        model_folder = job.input_folder("models") if spec.source != "scratch" else None
        where = f"learners.custom.{spec.learner}.files"
        custom = names_a_module(spec.settings)
        with declared_files_only(job, where, SCRIPTS) if custom else nullcontext():
            evaluate_cell(spec, job.input_folder("data"), model_folder, job.output, report)


if __name__ == "__main__":
    run_main(main)
