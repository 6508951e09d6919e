"""Score a meta-trained model, or an untrained one, on the evaluation episodes."""

from cactus.command import run_main, stage_arguments
from cactus.evaluate.run_model import evaluate_cell
from cactus.spec.evaluate_model import EvaluateModelSpec


def main() -> None:
    """Run the stage."""
    arguments = stage_arguments(__doc__, "data", "model", "output")
    spec = EvaluateModelSpec.parse(arguments.spec)
    model_folder = arguments.model.parent if arguments.model else None
    evaluate_cell(spec, arguments.data.parent, model_folder, arguments.output.parent)


if __name__ == "__main__":
    run_main(main)
