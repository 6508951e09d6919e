"""Score a meta-trained model, or an untrained one, on the evaluation episodes."""

from cactus.command import report, run_main, stage_job
from cactus.evaluate.run_model import evaluate_cell
from cactus.stages.evaluate_model import EvaluateModelSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = EvaluateModelSpec.parse(job.spec)
        model_folder = job.input_folder("models") if spec.source != "scratch" else None
        evaluate_cell(spec, job.input_folder("data"), model_folder, job.output, report)


if __name__ == "__main__":
    run_main(main)
